// Streams rows of a fixed width through persistent blocks: a block of dim / 16 threads processes every gridDim.x-th
// row, each thread two 16-byte vectors of each `dim` values, half a row apart, so that per-column data stays in
// registers. Meanwhile the next rows are copied to shared memory.
#pragma once

#include <cuda_pipeline.h>

#include "worker/device/cuda/launch.h"
#include "worker/device/cuda/values.cuh"

namespace wansweep::cuda {

__host__ __device__ constexpr int row_threads(int dim) { return dim / 16; }

// A thread's vectors of the block's rows: vector i of a row lies `i * threads` after the first. Each thread reads from
// shared memory only what it copied there itself, so no barrier is needed.
template <int vectors, int threads, int stages>
class RowStream {
 public:
  using Room = uint4[stages][vectors][threads];

  // `x` is the first row, `stride` the distance between rows in vectors.
  __device__ RowStream(Room& room, const uint4* x, int64_t stride, int64_t rows)
      : row(blockIdx.x), room_(room), x_(x + threadIdx.x), stride_(stride), rows_(rows) {
#pragma unroll
    for (int stage = 0; stage < stages - 1; ++stage) fetch(row + stage * int64_t{gridDim.x}, stage);
  }

  // Returns the row's vectors, and starts copying the row that is stages - 1 ahead. To be called once for each row.
  __device__ void take(uint4 (&values)[vectors]) {
    __pipeline_wait_prior(stages - 2);
#pragma unroll
    for (int i = 0; i < vectors; ++i) values[i] = room_[stage_][i][threadIdx.x];
    fetch(row + (stages - 1) * int64_t{gridDim.x}, stage_ == 0 ? stages - 1 : stage_ - 1);
  }

  __device__ void advance() {
    row += gridDim.x;
    stage_ = stage_ == stages - 1 ? 0 : stage_ + 1;
  }

  int64_t row;

 private:
  __device__ void fetch(int64_t from, int stage) {
    if (from < rows_) {
#pragma unroll
      for (int i = 0; i < vectors; ++i) {
        __pipeline_memcpy_async(&room_[stage][i][threadIdx.x], x_ + from * stride_ + i * threads, sizeof(uint4));
      }
    }
    __pipeline_commit();  // also after the last row, since take() counts commits
  }

  Room& room_;
  const uint4* x_;
  int64_t stride_, rows_;
  int stage_ = 0;
};

// The sum over the block's threads, for all threads. `partial` has one value for each warp, and may be reused after the
// next barrier.
template <int warps>
__device__ inline float row_sum(float value, float (&partial)[warps]) {
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (int i = 0; i < warps; ++i) sum += partial[i];
  return sum;
}

// The number of blocks that the device holds at once. Computed once for each kernel, since the call is slow.
template <typename Kernel>
int64_t resident_blocks(Kernel kernel, int threads) {
  int device = 0, processors = 0, blocks = 0;
  cudaCheck(cudaGetDevice(&device));
  cudaCheck(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  cudaCheck(
      cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared));
  cudaCheck(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, 0));
  return int64_t{processors} * blocks;
}

inline unsigned row_blocks(int64_t resident, int64_t rows) { return static_cast<unsigned>(std::min(resident, rows)); }

}  // namespace wansweep::cuda
