// Host memory for weights: made the fast way, checked against what the host has before it is taken.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "worker/device/device.h"

namespace wansweep {

// Bytes that this process may still take: what its cgroup leaves, or what the kernel calls available, whichever is
// less. On machines whose memory grows as it is used both say too little: WANSWEEP_HOST_MEMORY=GiB says instead what a
// rank may take in all, of which it holds `in_use` bytes.
int64_t available_host_memory(int64_t in_use);

// Counts what it hands out. Buffers may outlive the pool's owner.
class CudaHostPool : public std::enable_shared_from_this<CudaHostPool> {
 public:
  // Anonymous huge pages, touched by all cores at once; pinned ones are registered with CUDA afterwards. For 8 GiB that
  // took 0.5 s where cudaHostAlloc took 6.4 s. Throws Error(host_memory).
  Buffer allocate(int64_t bytes, HostMemory kind, const std::string& what);
  int64_t used() const;
  int64_t peak() const;

 private:
  void count(int64_t bytes);

  mutable std::mutex mutex_;
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

}  // namespace wansweep
