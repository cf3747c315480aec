#include "worker/device/cuda/host_memory.h"

#include <cuda_runtime.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>

#include "schema/error.h"
#include "worker/parallel_for.h"

namespace wansweep {

namespace {

constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;
constexpr int64_t huge_page = int64_t{2} << 20;
constexpr int64_t smallest_page = 4096;

int64_t to_huge_pages(int64_t bytes) { return (std::max<int64_t>(bytes, 1) + huge_page - 1) / huge_page * huge_page; }

std::optional<int64_t> read_number(const std::string& file) {
  std::ifstream stream(file);
  int64_t value = 0;
  if (stream >> value) return value;  // "max" is no number: no limit
  return std::nullopt;
}

// What the control group, version 2 or 1, still leaves of its limit. Cache that it would give up counts as left.
std::optional<int64_t> left_in_cgroup() {
  std::string path = "/sys/fs/cgroup", limit = "/memory.max", used = "/memory.current", cache = "inactive_file ";
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) == 0) path = "/sys/fs/cgroup" + line.substr(3);
    const size_t memory = line.find(":memory:");
    if (memory == std::string::npos) continue;
    path = "/sys/fs/cgroup/memory" + line.substr(memory + 8);
    limit = "/memory.limit_in_bytes";
    used = "/memory.usage_in_bytes";
    cache = "total_inactive_file ";
    break;
  }
  const std::optional<int64_t> most = read_number(path + limit);
  const std::optional<int64_t> now = read_number(path + used);
  if (!most || !now) return std::nullopt;
  int64_t left = *most - *now;
  std::ifstream stat(path + "/memory.stat");
  for (std::string line; std::getline(stat, line);) {
    if (line.rfind(cache, 0) == 0) left += std::atoll(line.c_str() + cache.size());
  }
  return left;
}

int64_t available_by_kernel() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("MemAvailable:", 0) == 0) return std::atoll(line.c_str() + 13) * 1024;
  }
  return std::numeric_limits<int64_t>::max();
}

void touch(std::byte* data, int64_t bytes) {
  constexpr int64_t piece = 32 * huge_page;
  parallel_for((bytes + piece - 1) / piece, [&](int64_t i) {
    const int64_t end = std::min(bytes, (i + 1) * piece);
    for (int64_t at = i * piece; at < end; at += smallest_page) data[at] = std::byte{0};
  });
}

Error no_memory(const std::string& what, int64_t bytes, int64_t used, const std::string& why) {
  return {ExitCode::host_memory,
          fmt::format("host memory: {} asks for {:.2f} GiB beside {:.2f} GiB in use; {}", what,
                      static_cast<double>(bytes) / gibibyte, static_cast<double>(used) / gibibyte, why)};
}

}  // namespace

int64_t available_host_memory(int64_t in_use) {
  if (const char* given = std::getenv("WANSWEEP_HOST_MEMORY")) {
    return static_cast<int64_t>(std::atof(given) * gibibyte) - in_use;
  }
  const int64_t left = left_in_cgroup().value_or(std::numeric_limits<int64_t>::max());
  return std::max<int64_t>(0, std::min(left, available_by_kernel()));
}

Buffer CudaHostPool::allocate(int64_t bytes, HostMemory kind, const std::string& what) {
  const int64_t taken = to_huge_pages(bytes);
  const int64_t available = available_host_memory(used());
  if (taken > available) {
    throw no_memory(what, bytes, used(),
                    fmt::format("the host has {:.2f} GiB available", static_cast<double>(available) / gibibyte));
  }
  void* mapping = mmap(nullptr, static_cast<size_t>(taken), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw no_memory(what, bytes, used(), std::strerror(errno));
  std::shared_ptr<void> pages(mapping, [taken](void* data) { munmap(data, static_cast<size_t>(taken)); });
  madvise(mapping, static_cast<size_t>(taken), MADV_HUGEPAGE);  // a wish; small pages are as right
  touch(static_cast<std::byte*>(mapping), taken);
  if (kind == HostMemory::pinned) {
    const cudaError_t result = cudaHostRegister(mapping, static_cast<size_t>(taken), cudaHostRegisterDefault);
    if (result != cudaSuccess) {
      cudaGetLastError();
      throw no_memory(what, bytes, used(), fmt::format("it cannot be pinned: {}", cudaGetErrorString(result)));
    }
  }
  count(bytes);
  std::shared_ptr<void> owner(mapping, [pool = shared_from_this(), pages, kind, bytes](void* data) mutable {
    if (kind == HostMemory::pinned) cudaHostUnregister(data);
    pages.reset();
    pool->count(-bytes);
  });
  return {mapping, bytes, std::move(owner)};
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
