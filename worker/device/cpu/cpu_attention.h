// Attention of the CPU backend: tiled, with an online softmax, so that its memory does not depend on the number of
// tokens.
#pragma once

#include <cstdint>

namespace wansweep {

struct FloatRows {
  const float* data;
  int64_t stride;
};

// Like Ops::attention and Ops::merge_attention, in f32, on the calling thread.
void cpu_attention(FloatRows q, FloatRows k, FloatRows v, float* out, float* lse, int64_t q_rows, int64_t kv_rows,
                   int heads, int head_dim);
void cpu_merge_attention(const float* part, const float* part_lse, float* acc, float* acc_lse, float* out, bool first,
                         bool last, int64_t rows, int heads, int head_dim);

}  // namespace wansweep
