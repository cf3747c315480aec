#include "worker/device/cuda/host_memory.h"

#include <cuda_runtime.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/parallel_for.h"
#include "base/units.h"
#include "worker/device/host_capacity.h"

namespace wansweep {

namespace {

constexpr int64_t huge_page = int64_t{2} << 20;
constexpr int64_t smallest_page = 4096;

int64_t to_huge_pages(int64_t bytes) { return (std::max<int64_t>(bytes, 1) + huge_page - 1) / huge_page * huge_page; }

void touch(std::byte* data, int64_t bytes) {
  constexpr int64_t piece = 32 * huge_page;
  parallel_for((bytes + piece - 1) / piece, [&](int64_t i) {
    const int64_t end = std::min(bytes, (i + 1) * piece);
    for (int64_t at = i * piece; at < end; at += smallest_page) data[at] = std::byte{0};
  });
}

Error no_memory(const std::string& what, int64_t bytes, int64_t used, const std::string& why) {
  return {ExitCode::host_memory,
          fmt::format("host memory: {:.2f} GiB for {} cannot be allocated beside {:.2f} GiB in use: {}",
                      static_cast<double>(bytes) / gibibyte, what, static_cast<double>(used) / gibibyte, why)};
}

// A hint for drivers that count pinned memory against the limit of locked memory; empty when there is no limit.
std::string limit_of_locked_memory(int64_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return "";
  if (static_cast<int64_t>(limit.rlim_cur) >= bytes) return "";
  return fmt::format(" (locked memory is limited to {} KiB, ulimit -l)", limit.rlim_cur / 1024);
}

}  // namespace

Buffer CudaHostPool::allocate(int64_t bytes, HostMemory kind, const std::string& what) {
  const int64_t taken = to_huge_pages(bytes);
  const int64_t available = host_memory_left(node_ranks_, used());
  if (taken > available) {
    throw no_memory(what, bytes, used(),
                    fmt::format("the host has {:.2f} GiB available", static_cast<double>(available) / gibibyte));
  }
  void* mapping = mmap(nullptr, static_cast<size_t>(taken), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw no_memory(what, bytes, used(), std::strerror(errno));
  std::shared_ptr<void> pages(mapping, [taken](void* data) { munmap(data, static_cast<size_t>(taken)); });
  madvise(mapping, static_cast<size_t>(taken), MADV_HUGEPAGE);  // small pages would work too
  touch(static_cast<std::byte*>(mapping), taken);
  if (kind == HostMemory::pinned) pin(mapping, taken, what);
  return counted(Buffer(mapping, bytes, std::move(pages)), kind, bytes);
}

Buffer CudaHostPool::register_pages(Buffer pages, HostMemory kind, int64_t own_bytes) {
  if (kind == HostMemory::pinned) pin(pages.data(), pages.bytes(), "the host store that the ranks of a node share");
  return counted(std::move(pages), kind, own_bytes);
}

void CudaHostPool::pin(void* data, int64_t bytes, const std::string& what) const {
  const cudaError_t result = cudaHostRegister(data, static_cast<size_t>(bytes), cudaHostRegisterDefault);
  if (result == cudaSuccess) return;
  cudaGetLastError();
  throw no_memory(what, bytes, used(),
                  fmt::format("the memory cannot be pinned: {}{}; set host_memory to pageable, which needs no pinning",
                              cudaGetErrorString(result), limit_of_locked_memory(bytes)));
}

// A buffer over `pages` that unpins them when it is destroyed.
Buffer CudaHostPool::counted(Buffer pages, HostMemory kind, int64_t own_bytes) {
  count(own_bytes);
  void* data = pages.data();
  const int64_t bytes = pages.bytes();
  std::shared_ptr<void> owner(
      data, [pool = shared_from_this(), pages = std::move(pages), kind, own_bytes](void* pinned) mutable {
        if (kind == HostMemory::pinned) cudaHostUnregister(pinned);
        pages = Buffer();
        pool->count(-own_bytes);
      });
  return {data, bytes, std::move(owner)};
}

void CudaHostPool::count(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

int64_t CudaHostPool::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

int64_t CudaHostPool::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

}  // namespace wansweep
