// NVML's functions are looked up by name when they are called, so the build needs neither its header nor its library. A
// function that the driver lacks counts as one that failed: its value is not known.

#include "worker/device/cuda/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include <fmt/format.h>

// From nvml.h, which not every toolkit installs; these types and numbers are part of NVML's binary interface.
struct nvmlDevice_st;

namespace wansweep {

namespace {

using NvmlDevice = nvmlDevice_st*;
constexpr int nvml_success = 0;
enum NvmlClock : unsigned { clock_graphics = 0, clock_sm = 1, clock_memory = 2 };
constexpr unsigned temperature_gpu = 0;
struct NvmlProcess {  // nvmlProcessInfo_t of versions 2 and 3
  unsigned process;
  unsigned long long memory;  // all bits set: not known
  unsigned gpu_instance, compute_instance;
};
struct NvmlMemory {  // nvmlMemory_v2_t
  unsigned version = sizeof(NvmlMemory) | (2U << 24U);
  unsigned long long total = 0, reserved = 0, free = 0, used = 0;
};
constexpr unsigned most_processes = 256;

// The NUMA node of the device as the kernel gives it; -1 on machines with a single node.
int numa_node(std::string pci_bus_id) {
  std::transform(pci_bus_id.begin(), pci_bus_id.end(), pci_bus_id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::ifstream file("/sys/bus/pci/devices/" + pci_bus_id + "/numa_node");
  int node = -1;
  file >> node;
  return node;
}

}  // namespace

class Nvml::Library {
 public:
  explicit Library(const std::string& pci_bus_id) : library_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {
    started_ = library_ != nullptr && call("nvmlInit_v2") == nvml_success;
    usable_ = started_ && call("nvmlDeviceGetHandleByPciBusId_v2", pci_bus_id.c_str(), &device_) == nvml_success;
  }
  ~Library() {
    if (started_) call("nvmlShutdown");
    if (library_ != nullptr) dlclose(library_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  bool usable() const { return usable_; }
  NvmlDevice device() const { return device_; }

  // NVML's result, or -1 when the library does not have the function.
  template <typename... Arguments>
  int call(const char* function, Arguments... arguments) const {
    const auto address = reinterpret_cast<int (*)(Arguments...)>(dlsym(library_, function));
    return address == nullptr ? -1 : address(arguments...);
  }
  // Calls a function about the device, and returns the number that it writes to its last argument.
  template <typename Number, typename... Arguments>
  std::optional<Number> number(const char* function, Arguments... arguments) const {
    Number value = 0;
    return call(function, device_, arguments..., &value) == nvml_success ? std::optional(value) : std::nullopt;
  }

 private:
  void* library_;
  NvmlDevice device_ = nullptr;
  bool started_ = false;
  bool usable_ = false;
};

Nvml::Nvml(std::string pci_bus_id)
    : pci_bus_id_(std::move(pci_bus_id)), library_(std::make_unique<Library>(pci_bus_id_)) {
  if (!library_->usable()) library_.reset();
}

Nvml::~Nvml() = default;

nlohmann::json Nvml::describe() const {
  nlohmann::json json = {{"numa_node", numa_node(pci_bus_id_)}};
  if (!library_) {
    json["nvml"] = "not available";
    return json;
  }
  std::array<char, 96> text{};
  if (library_->call("nvmlSystemGetDriverVersion", text.data(), static_cast<unsigned>(text.size())) == nvml_success) {
    json["driver"] = text.data();
  }
  const auto number = [&](const char* function, auto... arguments) -> nlohmann::json {
    const std::optional<unsigned> value = library_->number<unsigned>(function, arguments...);
    return value ? nlohmann::json(*value) : nullptr;
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
  json["temperature_c"] = number("nvmlDeviceGetTemperature", temperature_gpu);
  int links = 0;
  for (unsigned link = 0; link < 18; ++link) {
    if (library_->number<unsigned>("nvmlDeviceGetNvLinkState", link) == 1U) ++links;
  }
  json["nvlinks"] = links;
  unsigned gpus = 0;
  if (library_->call("nvmlDeviceGetCount_v2", &gpus) == nvml_success) json["gpus_of_node"] = gpus;
  return json;
}

std::optional<DeviceUse> Nvml::use() const {
  if (!library_) return std::nullopt;
  DeviceUse use;
  std::array<char, 96> name{};
  const bool named = library_->call("nvmlDeviceGetName", library_->device(), name.data(),
                                    static_cast<unsigned>(name.size())) == nvml_success;
  use.device = fmt::format("{} {}", named ? name.data() : "GPU", pci_bus_id_);
  std::vector<NvmlProcess> listed(most_processes);
  for (const char* function : {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"}) {
    auto count = static_cast<unsigned>(listed.size());
    if (library_->call(function, library_->device(), &count, listed.data()) != nvml_success) continue;
    for (unsigned i = 0; i < count; ++i) {
      DeviceProcess& process = use.processes.emplace_back();
      process.process = listed[i].process;
      if (listed[i].memory != ~0ULL) process.memory_bytes = static_cast<int64_t>(listed[i].memory);
    }
    break;
  }
  NvmlMemory memory;
  if (library_->call("nvmlDeviceGetMemoryInfo_v2", library_->device(), &memory) == nvml_success) {
    use.memory_bytes = static_cast<int64_t>(memory.used);
  }
  return use;
}

std::optional<DevicePower> Nvml::sample() const {
  if (!library_) return std::nullopt;
  const auto power = library_->number<unsigned>("nvmlDeviceGetPowerUsage");
  const auto energy = library_->number<unsigned long long>("nvmlDeviceGetTotalEnergyConsumption");
  const auto clock = library_->number<unsigned>("nvmlDeviceGetClockInfo", unsigned{clock_sm});
  const auto temperature = library_->number<unsigned>("nvmlDeviceGetTemperature", temperature_gpu);
  if (!power || !energy || !clock || !temperature) return std::nullopt;
  return DevicePower{.energy_mj = static_cast<int64_t>(*energy),
                     .power_mw = static_cast<int32_t>(*power),
                     .sm_clock_mhz = static_cast<int32_t>(*clock),
                     .temperature_c = static_cast<int32_t>(*temperature)};
}

}  // namespace wansweep
