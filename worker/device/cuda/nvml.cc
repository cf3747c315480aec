#include "worker/device/cuda/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

namespace wansweep {

namespace {

// From nvml.h, which not every toolkit installs; these numbers are part of NVML's binary interface.
using NvmlDevice = struct nvmlDevice_st*;
constexpr int nvml_success = 0;
enum NvmlClock : unsigned { clock_graphics = 0, clock_sm = 1, clock_memory = 2 };

class Nvml {
 public:
  Nvml() : library_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {
    usable_ = library_ != nullptr && call("nvmlInit_v2") == nvml_success;
  }
  ~Nvml() {
    if (usable_) call("nvmlShutdown");
    if (library_ != nullptr) dlclose(library_);
  }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  bool usable() const { return usable_; }

  // NVML's result, or -1 when it has no such function.
  template <typename... Arguments>
  int call(const char* function, Arguments... arguments) const {
    const auto address = reinterpret_cast<int (*)(Arguments...)>(dlsym(library_, function));
    return address == nullptr ? -1 : address(arguments...);
  }

 private:
  void* library_;
  bool usable_ = false;
};

// The node that the kernel says the device hangs at; -1 on machines that have but one.
int numa_node(std::string pci_bus_id) {
  std::transform(pci_bus_id.begin(), pci_bus_id.end(), pci_bus_id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::ifstream file("/sys/bus/pci/devices/" + pci_bus_id + "/numa_node");
  int node = -1;
  file >> node;
  return node;
}

}  // namespace

nlohmann::json describe_by_nvml(const std::string& pci_bus_id) {
  nlohmann::json json = {{"numa_node", numa_node(pci_bus_id)}};
  const Nvml nvml;
  NvmlDevice device = nullptr;
  if (!nvml.usable() || nvml.call("nvmlDeviceGetHandleByPciBusId_v2", pci_bus_id.c_str(), &device) != nvml_success) {
    json["nvml"] = "not available";
    return json;
  }
  std::array<char, 96> text{};
  if (nvml.call("nvmlSystemGetDriverVersion", text.data(), static_cast<unsigned>(text.size())) == nvml_success) {
    json["driver"] = text.data();
  }
  const auto number = [&](const char* function, auto... arguments) -> nlohmann::json {
    unsigned value = 0;
    return nvml.call(function, device, arguments..., &value) == nvml_success ? nlohmann::json(value) : nullptr;
  };
  json["link"] = {{"generation", number("nvmlDeviceGetCurrPcieLinkGeneration")},
                  {"width", number("nvmlDeviceGetCurrPcieLinkWidth")},
                  {"max_generation", number("nvmlDeviceGetMaxPcieLinkGeneration")},
                  {"max_width", number("nvmlDeviceGetMaxPcieLinkWidth")}};
  json["power_limit_mw"] = number("nvmlDeviceGetEnforcedPowerLimit");
  json["clocks_mhz"] = {{"sm", number("nvmlDeviceGetClockInfo", unsigned{clock_sm})},
                        {"memory", number("nvmlDeviceGetClockInfo", unsigned{clock_memory})},
                        {"max_sm", number("nvmlDeviceGetMaxClockInfo", unsigned{clock_sm})},
                        {"max_memory", number("nvmlDeviceGetMaxClockInfo", unsigned{clock_memory})}};
  json["temperature_c"] = number("nvmlDeviceGetTemperature", 0U);
  int links = 0;
  for (unsigned link = 0; link < 18; ++link) {
    unsigned active = 0;
    if (nvml.call("nvmlDeviceGetNvLinkState", device, link, &active) == nvml_success && active == 1) ++links;
  }
  json["nvlinks"] = links;
  return json;
}

}  // namespace wansweep
