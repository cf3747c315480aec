// Predictions as people read them.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/machines/machine_file.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/predict/prediction.h"

namespace wansweep {

// "412.1 (350.2 to 480.0)", with the digits that the interval leaves meaningful.
std::string estimate_text(const Estimate& estimate);

// A row a configuration, then what does not fit, what has no prediction and why, and where the intervals come from.
// `predictions` are those of the plan's configurations, in their order.
std::string predictions_as_text(const MachineFile& machine, const Plan& plan,
                                const std::vector<Prediction>& predictions);

}  // namespace wansweep
