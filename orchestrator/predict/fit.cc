#include "orchestrator/predict/fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/units.h"

namespace wansweep {

MemoryLimits limits_of(const Machine& machine) {
  MemoryLimits limits;
  if (machine.device_memory_gib > 0) limits.device = machine.device_memory_gib;
  if (machine.host.memory_gib > 0) limits.host = machine.host.memory_gib;
  return limits;
}

std::string what_does_not_fit(const Prediction& prediction, const MemoryLimits& limits) {
  std::vector<std::string> lacks;
  const auto check = [&](int64_t bytes, const std::optional<double>& limit, const char* what) {
    const double gib = to_gib(bytes);
    if (limit && gib > *limit) lacks.push_back(fmt::format("{:.1f} GiB more {}", gib - *limit, what));
  };
  check(prediction.device_bytes, limits.device, "device memory a rank");
  check(prediction.host_bytes, limits.host, "host memory a node");
  return lacks.empty() ? "" : fmt::format("needs {}", fmt::join(lacks, ", and "));
}

}  // namespace wansweep
