// Whether others use a device: what is measured beside them says nothing of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wansweep {

// A process that has memory on a device, as its driver lists it.
struct DeviceProcess {
  int64_t process = 0;
  std::optional<int64_t> memory_bytes;  // nullopt: the driver does not say
};

// What the driver says of a device that this process has not opened yet.
struct DeviceUse {
  std::string device;  // its name and place, for people
  std::vector<DeviceProcess> processes;
  std::optional<int64_t> memory_bytes;  // in use, by whomever: in a container the driver names no process outside of it
};

// One line that names each process and its memory; nullopt: nobody uses the device.
std::optional<std::string> why_in_use(const DeviceUse& use);

}  // namespace wansweep
