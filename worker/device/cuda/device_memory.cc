#include "worker/device/cuda/device_memory.h"

#include <cuda_runtime.h>
#include <fmt/format.h>

#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

// The driver cuts smaller allocations out of one piece, and an IPC handle stands for a whole piece.
constexpr int64_t granularity = int64_t{2} << 20;

double mib(int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

Buffer CudaMemoryPool::allocate(int64_t bytes, const std::string& what) {
  if (bytes < 0)
    throw Error(ExitCode::internal, fmt::format("device memory: {} bytes for {} cannot be allocated", bytes, what));
  const int64_t taken = (std::max<int64_t>(bytes, 1) + granularity - 1) / granularity * granularity;
  const std::lock_guard lock(mutex_);
  if (taken > limit_ - used_) {
    throw Error(ExitCode::device_memory,
                fmt::format("device memory: {:.0f} MiB for {} cannot be allocated; {:.0f} of {:.0f} MiB are free",
                            mib(taken), what, mib(limit_ - used_), mib(limit_)));
  }
  void* data = nullptr;
  const cudaError_t result = cudaMalloc(&data, static_cast<size_t>(taken));
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free = 0, total = 0;
    cudaCheck(cudaMemGetInfo(&free, &total));
    throw Error(
        ExitCode::device_memory,
        fmt::format("device memory: {:.0f} MiB for {} cannot be allocated; the GPU has {:.0f} of {:.0f} MiB free",
                    mib(taken), what, mib(static_cast<int64_t>(free)), mib(static_cast<int64_t>(total))));
  }
  cudaCheck(result);
  auto* base = static_cast<std::byte*>(data);
  pieces_[base] = {base, taken, next_id_++};
  used_ += taken;
  peak_ = std::max(peak_, used_);
  return {data, bytes, std::shared_ptr<void>(data, [pool = shared_from_this()](void* freed) { pool->release(freed); })};
}

void CudaMemoryPool::release(void* data) {
  cudaFree(data);
  const std::lock_guard lock(mutex_);
  const auto piece = pieces_.find(static_cast<std::byte*>(data));
  used_ -= piece->second.bytes;
  pieces_.erase(piece);
}

DevicePiece CudaMemoryPool::piece_of(const void* address) const {
  const auto* at = static_cast<const std::byte*>(address);
  const std::lock_guard lock(mutex_);
  auto piece = pieces_.upper_bound(const_cast<std::byte*>(at));
  if (piece != pieces_.begin()) {
    --piece;
    if (at < piece->second.base + piece->second.bytes) return piece->second;
  }
  throw Error(ExitCode::internal, "device memory: an address is shared that was not allocated");
}

int64_t CudaMemoryPool::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

int64_t CudaMemoryPool::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

}  // namespace wansweep
