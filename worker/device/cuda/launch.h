// Launches: the grid for a count, and the check that every launch gets.
#pragma once

#include <algorithm>

#include "worker/device/cuda/cuda_check.h"

namespace wansweep::cuda {

constexpr int block_threads = 256;
constexpr int64_t most_blocks = int64_t{1} << 30;

inline unsigned blocks_for(int64_t work, int64_t per_block) {
  return static_cast<unsigned>(std::min(most_blocks, (work + per_block - 1) / per_block));
}

#define checkLaunch() cudaCheck(cudaGetLastError())

}  // namespace wansweep::cuda
