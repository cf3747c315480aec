// Device memory with a limit. Each piece is a separate allocation of the driver, so that it can be shared with another
// process without sharing its neighbours.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "worker/device/device.h"

namespace wansweep {

// The allocation that an address belongs to.
struct DevicePiece {
  std::byte* base = nullptr;
  int64_t bytes = 0;
  uint64_t id = 0;  // unique, unlike addresses
};

class CudaMemoryPool : public std::enable_shared_from_this<CudaMemoryPool> {
 public:
  explicit CudaMemoryPool(int64_t limit) : limit_(limit) {}
  Buffer allocate(int64_t bytes, const std::string& what);  // throws Error(device_memory)
  DevicePiece piece_of(const void* address) const;          // throws Error(internal) when the pool has none
  int64_t limit() const { return limit_; }
  int64_t used() const;
  int64_t peak() const;

 private:
  void release(void* data);

  const int64_t limit_;
  mutable std::mutex mutex_;
  std::map<std::byte*, DevicePiece> pieces_;
  int64_t used_ = 0;
  int64_t peak_ = 0;
  uint64_t next_id_ = 1;
};

}  // namespace wansweep
