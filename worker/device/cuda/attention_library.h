// One library's attention in bf16: kernels by name, and each made ready for a shape.
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

// Addresses as worker/device/ops.h has them: lse is f32 [heads, q_rows], natural logarithm, null without one.
struct AttentionOperands {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* out = nullptr;
  float* lse = nullptr;
};

// A kernel for one shape. It uses its library, which must outlive it.
class AttentionKernel {
 public:
  virtual ~AttentionKernel() = default;
  // On the library's stream. Why it failed; empty when it did not.
  virtual std::string launch(const AttentionOperands& operands) = 0;
};

class AttentionLibrary {
 public:
  virtual ~AttentionLibrary() = default;

  // As "cudnn 91900": part of what a choice is kept under.
  virtual std::string version() const = 0;

  // The kernels worth trying for a shape, the library's own guess first: names that no other library has, and that tell
  // the kernel and its settings, so that the same name gives the same bits. None for shapes that it cannot do.
  virtual std::vector<std::string> kernels(const AttentionShape& shape) = 0;

  // Null when the library cannot make the kernel ready.
  virtual std::unique_ptr<AttentionKernel> prepare(const AttentionShape& shape, const std::string& kernel) = 0;
};

// cuDNN's, on any GPU. `device` gives its workspace.
std::unique_ptr<AttentionLibrary> make_cudnn_attention(Device& device, cudaStream_t stream);

// FlashInfer's, of FlashAttention-3's design, for compute capability 9.0: in builds that found its headers.
std::unique_ptr<AttentionLibrary> make_flashinfer_attention(cudaStream_t stream);

// "32760 x 512 rows, 40 heads x 128, strides 5120 5120 10240, with log-sum-exp"
std::string describe(const AttentionShape& shape);

}  // namespace wansweep
