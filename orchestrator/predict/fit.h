// Tells whether a machine has the memory that a run needs, and how much is missing.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/prediction.h"

namespace wansweep {

// The memory that there is, in GiB. nullopt: the amount is not known, and is taken to be enough.
struct MemoryLimits {
  std::optional<double> device;  // for each rank
  std::optional<double> host;    // for each node
};
MemoryLimits limits_of(const Machine& machine);

// "needs 12.3 GiB more device memory a rank, and 40.0 GiB more host memory a node"; empty when the run fits.
std::string what_does_not_fit(const Prediction& prediction, const MemoryLimits& limits);

}  // namespace wansweep
