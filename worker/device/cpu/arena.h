// The memory of the CPU backend: a device arena with a limit, and host memory that is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace wansweep {

// One reserved region of address space, allocated first-fit. A page takes real memory only once it is written, so a
// large limit costs nothing. Thread-safe. In debug builds, new allocations are filled with 0xFF, a NaN in every float
// format.
class Arena {
 public:
  explicit Arena(int64_t limit);  // throws Error(device_memory) when the address space cannot be reserved
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // An allocation of 0 bytes gets the smallest piece, so that all addresses differ. Throws Error(device_memory).
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

// Anonymous pages. Pinned ones are populated at once, so that no copy causes a page fault. Thread-safe.
class HostPool {
 public:
  void* allocate(int64_t bytes, bool pinned, const std::string& what);  // throws Error(host_memory)
  void release(void* data, int64_t bytes);
  void count(int64_t bytes);  // counts memory that is allocated elsewhere; below 0: freed
  int64_t used() const;
  int64_t peak() const;

 private:
  mutable std::mutex mutex_;
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

}  // namespace wansweep
