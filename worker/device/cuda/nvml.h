// GPU data that only the management library (NVML) has. It comes with the driver, so it is opened at run time; without
// it there are no samples, and the description is shorter.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "worker/device/device.h"
#include "worker/device/used_device.h"

namespace wansweep {

class Nvml {
 public:
  explicit Nvml(std::string pci_bus_id);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  nlohmann::json describe() const;

  // The GPU's power and clocks now; nullopt when the library does not report them.
  std::optional<DevicePower> sample() const;

  // The processes that have memory on the GPU, including this process once it has some. nullopt when NVML is missing or
  // does not tell.
  std::optional<DeviceUse> use() const;

 private:
  class Library;
  std::string pci_bus_id_;
  std::unique_ptr<Library> library_;  // null: not available
};

}  // namespace wansweep
