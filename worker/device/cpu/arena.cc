#include "worker/device/cpu/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/units.h"

namespace wansweep {
namespace {

void* map_pages(int64_t bytes, int flags) {
  void* data =
      mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return data == MAP_FAILED ? nullptr : data;
}

void check_not_negative(int64_t bytes, const std::string& what) {
  if (bytes < 0)
    throw Error(ExitCode::internal, fmt::format("memory: {} bytes for {} cannot be allocated", bytes, what));
}

}  // namespace

Arena::Arena(int64_t limit) : limit_(limit / memory_alignment * memory_alignment) {
  if (limit_ <= 0) throw bad_input(fmt::format("device memory: the limit is {} bytes; at least 256 are needed", limit));
  base_ = static_cast<std::byte*>(map_pages(limit_, MAP_NORESERVE));
  if (base_ == nullptr) {
    throw Error(ExitCode::device_memory, fmt::format("device memory: {} of address space cannot be reserved: {}",
                                                     mebibytes(limit_), std::strerror(errno)));
  }
  free_.emplace(0, limit_);
}

Arena::~Arena() { munmap(base_, static_cast<size_t>(limit_)); }

void* Arena::allocate(int64_t bytes, const std::string& what) {
  check_not_negative(bytes, what);
  const std::lock_guard lock(mutex_);
  int64_t largest = 0;
  if (bytes <= limit_) {
    const int64_t need =
        std::max(memory_alignment, (bytes + memory_alignment - 1) / memory_alignment * memory_alignment);
    for (auto piece = free_.begin(); piece != free_.end(); ++piece) {
      const auto [offset, size] = *piece;
      largest = std::max(largest, size);
      if (size < need) continue;
      free_.erase(piece);
      if (size > need) free_.emplace(offset + need, size - need);
      taken_.emplace(offset, need);
      used_ += need;
      peak_ = std::max(peak_, used_);
#ifndef NDEBUG
      std::memset(base_ + offset, 0xFF, static_cast<size_t>(need));
#endif
      return base_ + offset;
    }
  }
  std::string line = fmt::format("device memory: {} for {} cannot be allocated; {} of {} are free", mebibytes(bytes),
                                 what, mebibytes(limit_ - used_), mebibytes(limit_));
  if (bytes <= limit_ - used_) line += fmt::format(", in pieces of at most {}", mebibytes(largest));
  throw Error(ExitCode::device_memory, line);
}

void Arena::release(void* data) {
  const std::lock_guard lock(mutex_);
  const auto owner = taken_.find(static_cast<std::byte*>(data) - base_);
  if (owner == taken_.end())
    throw Error(ExitCode::internal, "device memory: an address is freed that was not allocated");
  int64_t offset = owner->first;
  int64_t bytes = owner->second;
  taken_.erase(owner);
  used_ -= bytes;
  auto next = free_.upper_bound(offset);
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      offset = before->first;
      bytes += before->second;
      free_.erase(before);
    }
  }
  if (next != free_.end() && offset + bytes == next->first) {
    bytes += next->second;
    free_.erase(next);
  }
  free_.emplace(offset, bytes);
}

int64_t Arena::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

int64_t Arena::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

void* HostPool::allocate(int64_t bytes, bool pinned, const std::string& what) {
  check_not_negative(bytes, what);
  void* data = map_pages(std::max<int64_t>(bytes, 1), pinned ? MAP_POPULATE : 0);
  if (data == nullptr) {
    throw Error(ExitCode::host_memory, fmt::format("host memory: {} for {} cannot be allocated beside {} in use: {}",
                                                   mebibytes(bytes), what, mebibytes(used()), std::strerror(errno)));
  }
  count(bytes);
  return data;
}

void HostPool::release(void* data, int64_t bytes) {
  munmap(data, static_cast<size_t>(std::max<int64_t>(bytes, 1)));
  count(-bytes);
}

void HostPool::count(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

int64_t HostPool::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

int64_t HostPool::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

}  // namespace wansweep
