// The operations that no library has: each function launches a kernel on a stream. worker/device/ops.h has the shapes
// and meanings.
//
// Each operation has a fast path for the shapes of A14B (16-byte accesses, a row held in registers) and a plain one for
// all other shapes.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "worker/device/ops.h"

namespace wansweep::cuda {

// The first column of each Ulysses part; passed to kernels by value.
struct PartTable {
  static constexpr int most = 64;
  int count = 1;
  int begin[most + 1] = {};
};

void layer_norm(cudaStream_t stream, const LayerNormArguments& a);
void rms_norm(cudaStream_t stream, DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows,
              int64_t dim, float eps);
// Works in place when q, k and v are null.
void split_qkv(cudaStream_t stream, const SplitQkvArguments& a, const PartTable& parts);
void merge_heads(cudaStream_t stream, DType type, const void* parted, const PartTable& parts, void* y, int64_t rows);
void add_gated(cudaStream_t stream, DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim);
// False, and nothing is launched, for shapes that the one kernel cannot do.
[[nodiscard]] bool add_gated_and_norm(cudaStream_t stream, void* x, const void* y, const float* gate,
                                      const LayerNormArguments& norm);
// head_dim must be a multiple of 4.
void merge_attention(cudaStream_t stream, const MergeAttentionArguments& a);
void add_table(cudaStream_t stream, Weight table, const float* vector, float* out, int64_t n);
void convert(cudaStream_t stream, DType from, const void* x, DType to, void* y, int64_t n);
void activate(cudaStream_t stream, DType type, const void* x, void* y, Activation activation, int64_t n);
void unipc_step(cudaStream_t stream, const UniPCArguments& a);
// Adds the number of infinite and NaN values of x to `count`.
void count_not_finite(cudaStream_t stream, const float* x, int64_t n, int64_t* count);
void fill(cudaStream_t stream, float* data, float value, int64_t n);

// Attention in full f32, for checking, not for speed: one warp computes each query of each head. Takes any head_dim up
// to this maximum.
constexpr int most_plain_head_dim = 256;
void plain_attention(cudaStream_t stream, const AttentionArguments& a);

}  // namespace wansweep::cuda
