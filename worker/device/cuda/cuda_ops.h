// The CUDA backend's operations: cuBLASLt for matrix products, cuDNN's and FlashAttention's attention, own kernels for
// the rest.
//
// Runs use bf16. f32 is for checking: full f32 everywhere, with a plain attention kernel.
#pragma once

#include <map>
#include <string>

#include "worker/device/cuda/algorithm_cache.h"
#include "worker/device/cuda/attention.h"
#include "worker/device/cuda/linear.h"
#include "worker/device/ops.h"

namespace wansweep {

class CudaDevice;

class CudaOps : public Ops {
 public:
  explicit CudaOps(CudaDevice& device);

  void linear(const LinearArguments& a) override;
  void layer_norm(const LayerNormArguments& a) override;
  void split_qkv(const SplitQkvArguments& a) override;
  void rms_norm(DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows, int64_t dim,
                float eps) override;
  void attention(const AttentionArguments& a) override;
  void merge_attention(const MergeAttentionArguments& a) override;
  void merge_heads(DType type, const void* parted, HeadParts parts, void* y, int64_t rows, int head_dim) override;
  void add_gated(DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) override;
  void add_gated_and_norm(void* x, const void* y, const float* gate, const LayerNormArguments& norm) override;
  void add_table(Weight table, const float* vector, float* out, int64_t n) override;
  void convert(DType from, const void* x, DType to, void* y, int64_t n) override;
  void silu(const float* x, float* y, int64_t n) override;
  void unipc_step(const UniPCArguments& a) override;
  void count_not_finite(const float* x, int64_t n, int64_t* count) override;

  // The path of the file that keeps the chosen algorithms; empty when there is none.
  std::string algorithm_cache() const { return cache_.file(); }
  std::string attention_libraries() const { return attention_.describe_libraries(); }
  const std::map<std::string, std::string>& attention_kernels() const { return attention_.chosen(); }

 private:
  cudaStream_t stream_;
  AlgorithmCache cache_;
  Linear linear_;
  Attention attention_;
};

}  // namespace wansweep
