// Formats predictions for people.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/machines/machine_file.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/predict/prediction.h"

namespace wansweep {

// "412.1 (350.2 to 480.0)", with no more digits than the width of the interval makes meaningful.
std::string estimate_text(const Estimate& estimate);

// A table with a row for each configuration; then which runs do not fit, which have no prediction and why, and which of
// the machine's numbers the intervals come from. `predictions` are those of the plan's configurations, in their order.
std::string predictions_as_text(const MachineFile& machine, const Plan& plan,
                                const std::vector<Prediction>& predictions);

}  // namespace wansweep
