#include "worker/device/used_device.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"

namespace wansweep {

namespace {

constexpr int64_t idle_bytes = int64_t{1} << 30;  // more than a driver keeps for itself

}  // namespace

std::optional<std::string> why_in_use(const DeviceUse& use) {
  std::vector<std::string> users;
  for (const DeviceProcess& each : use.processes) {
    const std::string memory =
        each.memory_bytes ? fmt::format("{:.2f} GiB", to_gib(*each.memory_bytes)) : "unknown memory";
    users.push_back(fmt::format("process {} ({})", each.process, memory));
  }
  if (users.empty() && use.memory_bytes.value_or(0) > idle_bytes) {
    users.push_back(fmt::format("a process that the driver does not name ({:.2f} GiB)", to_gib(*use.memory_bytes)));
  }
  if (users.empty()) return std::nullopt;
  return fmt::format(
      "{}: in use by {}; what is measured beside them says nothing of the machine: end them, or take "
      "another GPU",
      use.device, fmt::join(users, ", "));
}

}  // namespace wansweep
