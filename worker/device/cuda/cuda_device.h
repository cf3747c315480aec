// The CUDA backend: one GPU for each rank.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "worker/device/device.h"
#include "worker/device/used_device.h"

namespace wansweep {

struct CudaDeviceOptions {
  int64_t memory_bytes = 0;  // the limit; 0: this rank's share of the memory that is free when the device is opened
  int node_rank = 0;         // number among the ranks of this node, which see all GPUs or one each
  int node_ranks = 1;
  bool share_device = false;  // there may be more ranks than GPUs: ranks share the GPUs and their memory
};

// Opens GPU number node_rank of those that CUDA_VISIBLE_DEVICES leaves, or the only one. Throws
// Error(device_unavailable) when there is no driver or no GPU, the driver is older than the toolkit, the GPU is older
// than compute capability 8.0, or there are fewer GPUs than ranks.
std::unique_ptr<Device> open_cuda_device(const CudaDeviceOptions& options);

// What the driver says of the GPU that the rank would take; does not use the GPU. nullopt when the driver does not
// tell. Throws as open_cuda_device does.
std::optional<DeviceUse> use_of_cuda_device(const CudaDeviceOptions& options);

// "hostname GPU-uuid". Ranks compare it to find out whether two of them have the same GPU, which happens when the
// launcher binds the same one to each.
std::string cuda_device_identity(const Device& device);

// Throws Error(device_unavailable) when two ranks have the same identity and may not share a GPU.
void check_devices_differ(std::span<const std::string> identities, bool share_device);

}  // namespace wansweep
