// Which of a few equivalent launches takes the least time.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>

namespace wansweep {

// Runs launch(0) ... launch(count - 1) on `stream`, which they use, and waits for them. Those that are nearly the
// fastest are tried again, each under a load of its own: a GPU at its power limit lowers its clock until what runs
// fits, so that in a loop of minutes the one that wins is the one that takes least energy, not the one that is fastest
// for an instant. Few are tried under load, and none for longer than the load takes, so that all of a model's shapes
// take seconds. A launch that returns false does not work. The number of the fastest; 0 when none works.
size_t fastest(cudaStream_t stream, size_t count, const std::function<bool(size_t)>& launch);

}  // namespace wansweep
