// The operations that no library has, as launches on a stream. Shapes and meanings are those of worker/device/ops.h.
//
// Each has a fast path for the shapes that A14B uses (16-byte accesses, a row held in registers) and a plain one for
// all others.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "worker/device/ops.h"

namespace wansweep::cuda {

// Where each Ulysses part's columns begin: passed to kernels by value.
struct PartTable {
  static constexpr int most = 64;
  int count = 1;
  int begin[most + 1] = {};
};

void layer_norm(cudaStream_t stream, const LayerNormArguments& a);
void rms_norm(cudaStream_t stream, DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows,
              int64_t dim, float eps);
// q, k and v null: in place.
void split_qkv(cudaStream_t stream, const SplitQkvArguments& a, const PartTable& parts);
void merge_heads(cudaStream_t stream, DType type, const void* parted, const PartTable& parts, void* y, int64_t rows);
void add_gated(cudaStream_t stream, DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim);
// head_dim a multiple of 4.
void merge_attention(cudaStream_t stream, const MergeAttentionArguments& a);
void add_table(cudaStream_t stream, Weight table, const float* vector, float* out, int64_t n);
void convert(cudaStream_t stream, DType from, const void* x, DType to, void* y, int64_t n);
void activate(cudaStream_t stream, DType type, const void* x, void* y, Activation activation, int64_t n);
void unipc_step(cudaStream_t stream, const UniPCArguments& a);
// Adds to `count`.
void count_not_finite(cudaStream_t stream, const float* x, int64_t n, int64_t* count);
void fill(cudaStream_t stream, float* data, float value, int64_t n);

// Attention in full f32, one warp a query: for checking, not for speed. Any head_dim up to the most.
constexpr int most_plain_head_dim = 256;
void plain_attention(cudaStream_t stream, const AttentionArguments& a);

}  // namespace wansweep::cuda
