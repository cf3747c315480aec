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

void layer_norm(cudaStream_t stream, DType type, const void* x, Weight gain, float gain_offset, Weight shift, void* y,
                int64_t rows, int64_t dim, float eps);
void rms_norm(cudaStream_t stream, DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows,
              int64_t dim, float eps);
// q, k and v null: in place.
void split_qkv(cudaStream_t stream, DType type, void* qkv, Weight norm_q, Weight norm_k, const float* cos_sin, void* q,
               void* k, void* v, const PartTable& parts, int64_t rows, int heads, int head_dim, float eps);
void merge_heads(cudaStream_t stream, DType type, const void* parted, const PartTable& parts, void* y, int64_t rows);
void add_gated(cudaStream_t stream, DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim);
// head_dim a multiple of 4.
void merge_attention(cudaStream_t stream, DType type, const void* part, const float* part_lse, float* acc,
                     float* acc_lse, void* out, bool first, bool last, int64_t rows, int heads, int head_dim);
void add_table(cudaStream_t stream, Weight table, const float* vector, float* out, int64_t n);
void convert(cudaStream_t stream, DType from, const void* x, DType to, void* y, int64_t n);
void activate(cudaStream_t stream, DType type, const void* x, void* y, Activation activation, int64_t n);
void unipc_step(cudaStream_t stream, DType type, const UniPCStep& step, const void* cond, const void* uncond,
                float* noise_pred, float* x, float* last, float* m0, float* m1, int64_t n);
void fill(cudaStream_t stream, float* data, float value, int64_t n);

// Attention in full f32, one warp a query: for checking, not for speed. Any head_dim up to the most.
constexpr int most_plain_head_dim = 256;
void plain_attention(cudaStream_t stream, const float* q, int64_t q_stride, const float* k, int64_t k_stride,
                     const float* v, int64_t v_stride, float* out, float* lse, int64_t q_rows, int64_t kv_rows,
                     int heads, int head_dim);

}  // namespace wansweep::cuda
