// The CUDA backend: one GPU a rank.
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
  int64_t memory_bytes = 0;  // 0: this rank's share of what is free when the device is opened; it never gets more
  int node_rank = 0;         // among the ranks of this node, which all see the same GPUs or one each
  int node_ranks = 1;
  bool share_device = false;  // more ranks than GPUs is no error: they take them in turn, and share their memory
};

// A rank takes GPU node_rank of those that CUDA_VISIBLE_DEVICES leaves; the only one when it sees one. Throws
// Error(device_unavailable) with one line: no driver, no GPU, a driver older than the toolkit, a GPU older than compute
// capability 8.0, fewer GPUs than ranks.
std::unique_ptr<Device> open_cuda_device(const CudaDeviceOptions& options);

// What the driver says of the GPU that the rank would take; makes no use of it. nullopt: it does not tell. Throws as
// open_cuda_device does.
std::optional<DeviceUse> use_of_cuda_device(const CudaDeviceOptions& options);

// "hostname GPU-uuid": what ranks compare to find that two of them hold the same GPU, as happens when the launcher
// binds one and the same to each.
std::string cuda_device_identity(const Device& device);

// Throws Error(device_unavailable) when two ranks' identities are equal, unless they may be.
void check_devices_differ(std::span<const std::string> identities, bool share_device);

}  // namespace wansweep
