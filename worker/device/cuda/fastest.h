// Finds the fastest of several equivalent launches.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>

namespace wansweep {

// Runs launch(0) ... launch(count - 1), which enqueue work on `stream`, and waits for them. Those that are nearly the
// fastest are tried again, each under continuous load: a GPU at its power limit lowers its clock, so in a loop of
// minutes the launch that needs least energy wins, not the one that is fastest for a moment. Only a few are tried under
// load, and each for a short time, so that all shapes of a model take seconds. A launch that returns false has failed.
// Returns the index of the fastest; 0 when all failed.
size_t fastest(cudaStream_t stream, size_t count, const std::function<bool(size_t)>& launch);

}  // namespace wansweep
