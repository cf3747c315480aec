// The operations of the Wan transformer and its sampler. They run on the device's compute stream.
//
// Shapes are row-major and dense. `DType` is the type of activations and matrices (f32 or bf16); tensors that are
// called "f32" stay f32 in every mode. Sums are made in f32 or better. All backends have the same contract, and the
// tests check them against one reference.
#pragma once

#include <cstdint>
#include <span>

#include "schema/dtype.h"

namespace wansweep {

enum class Activation : uint8_t { none, gelu_tanh, silu };

// A tensor of a block's weights: its address and the type of its values.
struct Weight {
  const void* data = nullptr;
  DType type = DType::f32;
};

// The layout of [tokens, heads, head_dim] while Ulysses exchanges heads for tokens: one part for each Ulysses rank,
// each dense [tokens, heads_of_part[i], head_dim]. With one part, it is the plain layout.
struct HeadParts {
  std::span<const int> heads_of_part;
};

// A matrix whose rows start `stride` values apart.
struct Rows {
  const void* data = nullptr;
  int64_t stride = 0;
};

// The factors of one scheduler step, which worker/loop/unipc.h computes:
//   v        = uncond + guidance * (cond - uncond), or cond when there is no uncond
//   m_t      = x - sigma * v
//   x_c      = c_last * last + c_m0 * m0 + c_m1 * m1 + c_mt * m_t   when `correct`, else x
//   x_next   = p_x * x_c + p_mt * m_t + p_m0 * m0
// then last = x_c, m1 = m0, m0 = m_t, x = x_next.
struct UniPCStep {
  float guidance = 1;
  float sigma = 0;
  bool correct = false;
  float c_last = 0, c_m0 = 0, c_m1 = 0, c_mt = 0;
  float p_x = 0, p_mt = 0, p_m0 = 0;
};

// y[m,n] = activation(x[m,k] w[n,k]^T + bias[n]). x and y have `type`; w.type and bias.type may be f32 beside bf16 x.
struct LinearArguments {
  DType type = DType::f32;
  const void* x = nullptr;
  Weight w;
  Weight bias;  // data null: none
  void* y = nullptr;
  int64_t m = 0, n = 0, k = 0;
  Activation activation = Activation::none;
};

// y = LN(x) * (gain + gain_offset) + shift over rows of `dim`, without affine weights of its own. gain, shift: f32 or
// bf16 vectors [dim]. gain_offset is 1 for modulation by scale, 0 for a learned weight.
struct LayerNormArguments {
  DType type = DType::f32;
  const void* x = nullptr;
  Weight gain;
  float gain_offset = 0;
  Weight shift;
  void* y = nullptr;
  int64_t rows = 0, dim = 0;
  float eps = 0;
};

// From qkv[rows, 3 dim] (q, k, v side by side): RMSNorm over all dim of q and of k with weights, then rotary embedding
// by interleaved pairs; q, k and v are written in `parts` layout. cos_sin: f32 [rows, head_dim/2, 2]. With q, k and v
// null, works in place: q and k change inside qkv, and `parts` is ignored.
struct SplitQkvArguments {
  DType type = DType::f32;
  void* qkv = nullptr;
  Weight norm_q, norm_k;
  const float* cos_sin = nullptr;
  void *q = nullptr, *k = nullptr, *v = nullptr;
  HeadParts parts;
  int64_t rows = 0;
  int heads = 0, head_dim = 0;
  float eps = 0;
};

// out = softmax(q k^T / sqrt(head_dim)) v without mask. q [q_rows, heads, head_dim], k and v [kv_rows, heads,
// head_dim], each with its own row stride in values; out is dense. lse, when not null: f32 [heads, q_rows], natural
// logarithm. With kv_rows of 0, out is 0 and lse is -inf. Heads may be computed in several calls, and give the same
// bits in any grouping, if each call gives the number of all heads; 0: this call has all heads.
struct AttentionArguments {
  DType type = DType::f32;
  Rows q, k, v;
  void* out = nullptr;
  float* lse = nullptr;
  int64_t q_rows = 0, kv_rows = 0;
  int heads = 0, head_dim = 0;
  int heads_of_all_groups = 0;
};

// Folds one part of ring attention into the sum: acc f32 [rows, heads, head_dim], acc_lse f32 [heads, rows]. `first`
// stores instead of merging; `last` also writes the result to `out` (type).
struct MergeAttentionArguments {
  DType type = DType::f32;
  const void* part = nullptr;
  const float* part_lse = nullptr;
  float *acc = nullptr, *acc_lse = nullptr;
  void* out = nullptr;
  bool first = false, last = false;
  int64_t rows = 0;
  int heads = 0, head_dim = 0;
};

// One scheduler step over n values, see UniPCStep. cond and uncond have `type` (uncond may be null); the guided
// prediction v is written to `noise_pred` (f32). x, last, m0, m1 are f32 and are updated.
struct UniPCArguments {
  DType type = DType::f32;
  UniPCStep step;
  const void *cond = nullptr, *uncond = nullptr;
  float* noise_pred = nullptr;
  float *x = nullptr, *last = nullptr, *m0 = nullptr, *m1 = nullptr;
  int64_t n = 0;
};

class Ops {
 public:
  virtual ~Ops() = default;

  virtual void linear(const LinearArguments& arguments) = 0;

  virtual void layer_norm(const LayerNormArguments& arguments) = 0;

  virtual void split_qkv(const SplitQkvArguments& arguments) = 0;

  // y = RMSNorm(x) * weight over rows of `dim`; x has a row stride of `stride` values, y is dense.
  virtual void rms_norm(DType type, const void* x, int64_t stride, Weight weight, void* y, int64_t rows, int64_t dim,
                        float eps) = 0;

  virtual void attention(const AttentionArguments& arguments) = 0;

  virtual void merge_attention(const MergeAttentionArguments& arguments) = 0;

  // [tokens, heads, head_dim] in `parts` layout to dense [tokens, heads * head_dim].
  virtual void merge_heads(DType type, const void* parted, HeadParts parts, void* y, int64_t rows, int head_dim) = 0;

  // x += y * gate (f32 [dim]); gate null: x += y. The sum is made in f32.
  virtual void add_gated(DType type, void* x, const void* y, const float* gate, int64_t rows, int64_t dim) = 0;

  // add_gated to the rows of `norm`, whose x is `x`, then layer_norm of the rounded sum: the same bits as the two
  // operations one after the other. Backends may do both in one pass over memory.
  virtual void add_gated_and_norm(void* x, const void* y, const float* gate, const LayerNormArguments& norm) {
    add_gated(norm.type, x, y, gate, norm.rows, norm.dim);
    layer_norm(norm);
  }

  // out = table + vector, all f32 [n] but the table, which has its own type.
  virtual void add_table(Weight table, const float* vector, float* out, int64_t n) = 0;

  // Values from one type to another; to the same type it copies.
  virtual void convert(DType from, const void* x, DType to, void* y, int64_t n) = 0;

  // y = silu(x), f32.
  virtual void silu(const float* x, float* y, int64_t n) = 0;

  virtual void unipc_step(const UniPCArguments& arguments) = 0;

  // Writes the number of values of x[n] (f32) that are infinite or not a number to `count` on the device.
  virtual void count_not_finite(const float* x, int64_t n, int64_t* count) = 0;
};

}  // namespace wansweep
