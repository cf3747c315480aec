// Opens a rank's GPU, or says in one line why that is impossible.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/cuda_device_impl.h"

namespace wansweep {

namespace {

constexpr int oldest_capability = 8;  // bf16 matrix units, and cuDNN's attention

Error unavailable(const std::string& line) { return {ExitCode::device_unavailable, "device: " + line}; }

std::string version_text(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }

// Throws when there is no driver, or one older than the toolkit of this build.
void check_driver() {
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0)
    throw unavailable("this host has no CUDA driver (libcuda.so.1); run on a GPU node, or use --backend cpu");
  // Within a major version, an older driver works.
  if (driver / 1000 < CUDART_VERSION / 1000) {
    throw unavailable(
        fmt::format("the driver supports CUDA {}, but this worker was built with {}; install a newer driver, or build "
                    "with an older toolkit",
                    version_text(driver), version_text(CUDART_VERSION)));
  }
}

int count_devices() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  const std::string seen = visible != nullptr ? fmt::format(" (CUDA_VISIBLE_DEVICES is \"{}\")", visible) : "";
  if (result == cudaSuccess || result == cudaErrorNoDevice) {
    throw unavailable(fmt::format("no GPU is visible{}; ask Slurm for one, or use --backend cpu", seen));
  }
  throw unavailable(fmt::format("the GPUs cannot be counted: {}{}", cudaGetErrorString(result), seen));
}

struct Choice {
  int ordinal = 0;
  int count = 1;  // of the GPUs that this process sees
};

Choice choose_device(const CudaDeviceOptions& options) {
  check_driver();
  const int count = count_devices();
  // A launcher that gives each rank its own GPU shows the rank only that one.
  if (count > 1 && options.node_rank >= count && !options.share_device) {
    throw unavailable(
        fmt::format("this node has {} ranks and {} GPUs; start as many ranks as GPUs, or set share_device",
                    options.node_ranks, count));
  }
  return {options.node_rank % count, count};
}

}  // namespace

std::optional<DeviceUse> use_of_cuda_device(const CudaDeviceOptions& options) {
  const int ordinal = choose_device(options).ordinal;
  std::array<char, 32> bus{};
  cudaCheck(cudaDeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size()), ordinal));
  return Nvml(bus.data()).use();
}

std::unique_ptr<Device> open_cuda_device(const CudaDeviceOptions& options) {
  const auto [ordinal, count] = choose_device(options);
  cudaDeviceProp properties{};
  cudaCheck(cudaGetDeviceProperties(&properties, ordinal));
  if (properties.major < oldest_capability) {
    throw unavailable(fmt::format("GPU {} is a {} with compute capability {}.{}; {}.0 (Ampere) or newer is needed",
                                  ordinal, properties.name, properties.major, properties.minor, oldest_capability));
  }
  cudaCheck(cudaSetDevice(ordinal));
  size_t free = 0, total = 0;
  cudaCheck(cudaMemGetInfo(&free, &total));
  const int sharers = options.share_device ? (options.node_ranks + count - 1) / count : 1;
  const auto share = static_cast<int64_t>(free) / sharers;
  return std::make_unique<CudaDevice>(ordinal, options.memory_bytes > 0 ? std::min(options.memory_bytes, share) : share,
                                      options.node_ranks);
}

std::string cuda_device_identity(const Device& device) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("{} {}", host.data(), static_cast<const CudaDevice&>(device).uuid());
}

void check_devices_differ(std::span<const std::string> identities, bool share_device) {
  if (share_device) return;
  std::map<std::string, size_t> holder;
  for (size_t rank = 0; rank < identities.size(); ++rank) {
    const auto [first, added] = holder.emplace(identities[rank], rank);
    if (added) continue;
    throw unavailable(
        fmt::format("ranks {} and {} have the same GPU, {}; start one rank for each GPU, or set share_device",
                    first->second, rank, identities[rank]));
  }
}

}  // namespace wansweep
