// Host memory for weights, checked against the host's free memory before it is allocated.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "worker/device/device.h"

namespace wansweep {

// Counts the memory that it allocates. Buffers may outlive the pool's owner.
class CudaHostPool : public std::enable_shared_from_this<CudaHostPool> {
 public:
  // `node_ranks` is the number of ranks that share the host's memory.
  explicit CudaHostPool(int node_ranks) : node_ranks_(node_ranks) {}

  // Allocates anonymous huge pages, which all cores populate in parallel, and registers them with CUDA when `kind` is
  // pinned. For 8 GiB this took 0.5 s, and cudaHostAlloc 6.4 s. Throws Error(host_memory).
  Buffer allocate(int64_t bytes, HostMemory kind, const std::string& what);
  // A buffer over pages that are mapped and populated already: see Device::register_host. Throws Error(host_memory).
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
