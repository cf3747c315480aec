// Attention in bf16 through cuDNN's graph interface: one plan a shape.
#pragma once

#include <cuda_runtime.h>
#include <cudnn.h>

#include <map>
#include <memory>

#include "worker/device/device.h"

namespace wansweep {

struct AttentionShape {
  int64_t q_rows = 0, kv_rows = 0;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;  // values between rows
  int heads = 0, head_dim = 0;
  bool lse = false;
  auto operator<=>(const AttentionShape&) const = default;
};

struct AttentionOperands {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* out = nullptr;
  float* lse = nullptr;
};

class Attention {
 public:
  Attention(Device& device, cudaStream_t stream);
  ~Attention();
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  // kv_rows above 0; head_dim a multiple of 8.
  void run(const AttentionShape& shape, const AttentionOperands& operands);

 private:
  struct Plan;
  Plan& plan_for(const AttentionShape& shape);

  Device& device_;
  cudaStream_t stream_;
  cudnnHandle_t handle_ = nullptr;
  Buffer workspace_;
  std::map<AttentionShape, std::unique_ptr<Plan>> plans_;
};

}  // namespace wansweep
