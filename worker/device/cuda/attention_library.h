// One library's attention in bf16: the names of its kernels, and a kernel prepared for a shape.
#pragma once

#include <cuda_runtime.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/device.h"

namespace wansweep {

struct AttentionShape {
  int64_t q_rows = 0, kv_rows = 0;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;  // values between rows; those of the result are dense
  int heads = 0, head_dim = 0;
  bool lse = false;
  auto operator<=>(const AttentionShape&) const = default;
};

// Operands in the layout of worker/device/ops.h. lse is the log-sum-exp to base e, f32 [heads, q_rows]; null when it is
// not wanted.
struct AttentionOperands {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* out = nullptr;
  float* lse = nullptr;
};

// A kernel for one shape. Its library must outlive it.
class AttentionKernel {
 public:
  virtual ~AttentionKernel() = default;
  // Launches the kernel on the library's stream. Returns the reason of a failure; empty when there is none.
  virtual std::string launch(const AttentionOperands& operands) = 0;
};

class AttentionLibrary {
 public:
  virtual ~AttentionLibrary() = default;

  // Name and version, such as "cudnn 91900"; part of the cache's keys.
  virtual std::string version() const = 0;

  // The kernels worth trying for a shape, the library's own choice first; empty for shapes that it cannot do. A name is
  // unique among all libraries, and contains the kernel's settings, so that the same name gives the same bits.
  virtual std::vector<std::string> kernels(const AttentionShape& shape) = 0;

  // Prepares a kernel. Null when the library cannot.
  virtual std::unique_ptr<AttentionKernel> prepare(const AttentionShape& shape, const std::string& kernel) = 0;
};

// cuDNN's attention, for any GPU. `device` provides its workspace.
std::unique_ptr<AttentionLibrary> make_cudnn_attention(Device& device, cudaStream_t stream);

// FlashAttention-3's kernels, for compute capability 9.0, with the GPU's number of multiprocessors; in builds that
// found its sources. `device` provides a buffer for log-sum-exps that nobody asked for.
std::unique_ptr<AttentionLibrary> make_flash_attention(Device& device, cudaStream_t stream, int processors);

// "32760 x 512 rows, 40 heads x 128, strides 5120 5120 10240, with log-sum-exp"
std::string describe(const AttentionShape& shape);

}  // namespace wansweep
