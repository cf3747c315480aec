// Attention in bf16 through cuDNN's graph interface: one plan a shape, the one that was fastest when it was tried.
#pragma once

#include <cuda_runtime.h>
#include <cudnn.h>

#include <map>
#include <memory>
#include <string>

#include "worker/device/cuda/algorithm_cache.h"
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
  // `gpu` names the device in the cache's keys. The cache must outlive this.
  Attention(Device& device, cudaStream_t stream, const std::string& gpu, AlgorithmCache& cache);
  ~Attention();
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  // kv_rows above 0; head_dim a multiple of 8.
  void run(const AttentionShape& shape, const AttentionOperands& operands);

 private:
  struct Plan;
  Plan& plan_for(const AttentionShape& shape, const AttentionOperands& operands);
  void choose(Plan& plan, const AttentionShape& shape, const AttentionOperands& operands);
  void make_room(int64_t workspace);
  // Why it failed; empty when it did not.
  std::string launch(const Plan& plan, const AttentionShape& shape, const AttentionOperands& operands) const;
  std::string key_of(const AttentionShape& shape) const;

  Device& device_;
  cudaStream_t stream_;
  std::string gpu_;
  AlgorithmCache& cache_;
  cudnnHandle_t handle_ = nullptr;
  Buffer workspace_;
  std::map<AttentionShape, std::unique_ptr<Plan>> plans_;
};

}  // namespace wansweep
