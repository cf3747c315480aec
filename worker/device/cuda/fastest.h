// Which of a few equivalent launches takes the least time.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>

namespace wansweep {

// Runs launch(0) ... launch(count - 1) several times each on `stream`, which they use, and waits for them. A launch
// that returns false does not work. The number of the fastest by the median; 0 when none works.
size_t fastest(cudaStream_t stream, size_t count, const std::function<bool(size_t)>& launch);

}  // namespace wansweep
