// The CPU backend's operations, all in f32: other types are refused, since the loader converts weights to f32.
//
// An operation checks its arguments when it is called; its work runs on the compute stream. The same inputs always give
// the same bits: one thread computes, and sums have a fixed order.
#pragma once

#include <string>

#include "worker/device/cpu/stream.h"
#include "worker/device/ops.h"

namespace wansweep {

class CpuOps : public Ops {
 public:
  explicit CpuOps(Stream& compute);

  void linear(const LinearArguments& a) override;
  void layer_norm(const LayerNormArguments& a) override;
  void split_qkv(const SplitQkvArguments& a) override;
  void rms_norm(DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows, int64_t dim,
                float eps) override;
  void attention(const AttentionArguments& a) override;
  void merge_attention(const MergeAttentionArguments& a) override;
  void merge_heads(DType type, const void* parted, HeadParts parts, void* y, int64_t rows, int head_dim) override;
  void add_gated(DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) override;
  void add_table(Weight table, const float* vector, float* out, int64_t n) override;
  void convert(DType from, const void* x, DType to, void* y, int64_t n) override;
  void silu(const float* x, float* y, int64_t n) override;
  void unipc_step(const UniPCArguments& a) override;
  void count_not_finite(const float* x, int64_t n, int64_t* count) override;

  static std::string blas_version();

 private:
  Stream& compute_;
};

}  // namespace wansweep
