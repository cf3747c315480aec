// The CUDA backend's operations: cuBLASLt for matrix products, cuDNN for attention, own kernels for the rest.
//
// bf16 is the working mode. f32 is the checking mode: full f32 everywhere, with a plain attention kernel.
#pragma once

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

  void linear(DType type, const void* x, Weight w, Weight bias, void* y, int64_t m, int64_t n, int64_t k,
              Activation activation) override;
  void layer_norm(DType type, const void* x, Weight gain, float gain_offset, Weight shift, void* y, int64_t rows,
                  int64_t dim, float eps) override;
  void split_qkv(DType type, void* qkv, Weight norm_q, Weight norm_k, const float* cos_sin, void* q, void* k, void* v,
                 HeadParts parts, int64_t rows, int heads, int head_dim, float eps) override;
  void rms_norm(DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows, int64_t dim,
                float eps) override;
  void attention(DType type, Rows q, Rows k, Rows v, void* out, float* lse, int64_t q_rows, int64_t kv_rows, int heads,
                 int head_dim) override;
  void merge_attention(DType type, const void* part, const float* part_lse, float* acc, float* acc_lse, void* out,
                       bool first, bool last, int64_t rows, int heads, int head_dim) override;
  void merge_heads(DType type, const void* parted, HeadParts parts, void* y, int64_t rows, int head_dim) override;
  void add_gated(DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) override;
  void add_table(Weight table, const float* vector, float* out, int64_t n) override;
  void convert(DType from, const void* x, DType to, void* y, int64_t n) override;
  void silu(const float* x, float* y, int64_t n) override;
  void unipc_step(DType type, const UniPCStep& step, const void* cond, const void* uncond, float* noise_pred, float* x,
                  float* last, float* m0, float* m1, int64_t n) override;

  // The file that keeps the choice of algorithms; empty when there is none.
  std::string algorithm_cache() const { return cache_.file(); }

 private:
  cudaStream_t stream_;
  AlgorithmCache cache_;
  Linear linear_;
  Attention attention_;
};

}  // namespace wansweep
