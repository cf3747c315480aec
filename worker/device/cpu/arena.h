// The memory of the CPU backend: a device arena with a limit, and host memory that is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace wansweep {

// One reserved region, handed out first-fit. A page takes real memory only once it was written, so a large limit costs
// nothing. Thread-safe. In debug builds fresh memory is filled with 0xFF, a NaN in every float format.
class Arena {
 public:
  explicit Arena(int64_t limit);  // throws Error(device_memory) when the address space cannot be reserved
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // 0 bytes take the smallest piece, so that every address is distinct. Throws Error(device_memory).
  void* allocate(int64_t bytes, const std::string& what);
  void release(void* data);

  int64_t limit() const { return limit_; }
  int64_t used() const;
  int64_t peak() const;

 private:
  const int64_t limit_;
  std::byte* base_ = nullptr;
  mutable std::mutex mutex_;
  std::map<int64_t, int64_t> free_;   // offset -> bytes; neighbours are never both free
  std::map<int64_t, int64_t> taken_;  // offset -> bytes
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

// Anonymous pages; pinned ones are there from the start, so that no copy meets a page fault. Thread-safe.
class HostPool {
 public:
  void* allocate(int64_t bytes, bool pinned, const std::string& what);  // throws Error(host_memory)
  void release(void* data, int64_t bytes);
  void count(int64_t bytes);  // taken elsewhere, or given back when below 0
  int64_t used() const;
  int64_t peak() const;

 private:
  mutable std::mutex mutex_;
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

}  // namespace wansweep
