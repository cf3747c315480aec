// Whether a run finds the memory that it needs on a machine, and by how much it does not.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/prediction.h"

namespace wansweep {

// GiB that there are; nullopt: not known, and taken to suffice.
struct MemoryLimits {
  std::optional<double> device;  // of a rank
  std::optional<double> host;    // of a node
};
MemoryLimits limits_of(const Machine& machine);

// "needs 12.3 GiB more device memory a rank, and 40.0 GiB more host memory a node"; empty: it fits.
std::string what_does_not_fit(const Prediction& prediction, const MemoryLimits& limits);

}  // namespace wansweep
