// Host memory for weights: made the fast way, checked against what the host has before it is taken.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "worker/device/device.h"

namespace wansweep {

// Counts what it hands out. Buffers may outlive the pool's owner.
class CudaHostPool : public std::enable_shared_from_this<CudaHostPool> {
 public:
  // `node_ranks`: that share the host's memory.
  explicit CudaHostPool(int node_ranks) : node_ranks_(node_ranks) {}

  // Anonymous huge pages, touched by all cores at once; pinned ones are registered with CUDA afterwards. For 8 GiB that
  // took 0.5 s where cudaHostAlloc took 6.4 s. Throws Error(host_memory).
  Buffer allocate(int64_t bytes, HostMemory kind, const std::string& what);
  // Pages that are mapped and present already, see Device::register_host. Throws Error(host_memory).
  Buffer register_pages(Buffer pages, HostMemory kind, int64_t own_bytes);
  int64_t used() const;
  int64_t peak() const;

 private:
  void pin(void* data, int64_t bytes, const std::string& what) const;
  Buffer counted(Buffer pages, HostMemory kind, int64_t own_bytes);
  void count(int64_t bytes);

  const int node_ranks_;
  mutable std::mutex mutex_;
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

}  // namespace wansweep
