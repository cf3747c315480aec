// Named ranges on Nsight's timeline, around the code that enqueues a step, a forward or a block. They do nothing in
// builds without CUDA, and cost almost nothing when no profiler is attached.
#pragma once

#ifdef WANSWEEP_CUDA
#include <nvtx3/nvToolsExt.h>
#endif

namespace wansweep {

class NvtxRange {
 public:
  // `name` is copied.
#ifdef WANSWEEP_CUDA
  explicit NvtxRange(const char* name) { nvtxRangePushA(name); }
  ~NvtxRange() { nvtxRangePop(); }
#else
  explicit NvtxRange(const char*) {}
  ~NvtxRange() {}
#endif
  NvtxRange(const NvtxRange&) = delete;
  NvtxRange& operator=(const NvtxRange&) = delete;
};

}  // namespace wansweep
