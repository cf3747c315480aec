// One rank's activations: a single device buffer, cut into the regions that schema/memory_estimate.h lists. M: tokens
// of the rank, D: model width, R: rows after the all-to-all, T: text tokens.
#pragma once

#include "schema/memory_estimate.h"
#include "worker/device/device.h"

namespace wansweep {

// The cross-attention's keys and values of the text in one block.
struct TextKeys {
  std::byte* kv = nullptr;  // [T, 2 D]: the product; its second half are the values
  std::byte* k = nullptr;   // [T, D]: the normalised keys
  bool made = false;        // kept from an earlier step; otherwise the block computes them
};

struct Workspace {
  Workspace(Device& device, const ActivationRequest& request, const ParallelPlan& plan);

  DType type;
  std::byte *hidden, *normed;  // [M, D]: the residual stream; a block's normed input or its output
  std::byte* wide;             // [M, max(3 D, ffn)]
  std::byte* shared_prefix;    // [M, D]: the prefix of both forwards of a step; null when the rank runs one. With
  // guidance_order block it becomes the second forward's residual stream
  std::byte* parts[3];         // [M, D] each, by Ulysses part; null when not sharded
  std::byte* gathered[4];      // [R, heads, head_dim] each: q, k, v, output; null without Ulysses
  std::byte *ring_k, *ring_v;  // k and v of the next member of the ring; null without a ring
  std::byte* ring_part;        // the attention over one member's k and v
  float *ring_sum, *ring_sum_lse, *ring_part_lse;
  std::byte *prompt, *negative_prompt;             // [T, text_dim]
  std::byte *text, *text_inner;                    // [T, D]: embedded text, and inside its two layers
  std::byte* second_text;                          // [T, D]: the second forward's; null unless block by block
  std::byte *text_kv, *text_k;                     // [T, 2 D], [T, D]: of the block that runs
  std::byte* text_cache;                           // of each forward and block; null when they are not kept
  std::byte *tokens, *cond, *uncond;               // [M, patch values]
  float *latents, *last, *m0, *m1, *noise_pred;    // [M, patch values], the scheduler's state
  int64_t* not_finite;                             // number of latents that are infinite or not a number
  float* frequencies;                              // [freq_dim]
  float *time_inner, *time, *time_active;          // [D]
  std::byte *time_typed, *time_proj_typed;         // [D], [6 D] in `type`
  float *time_proj, *modulation, *out_modulation;  // [6 D], [6 D], [2 D]
  float* rotary;                                   // [M, head_dim / 2, 2]

  // Where a block finds or leaves the text's keys and values. `forward` counts this rank's forwards from 0. Without a
  // cache all blocks use one place, and `made` is false.
  TextKeys text_keys(int forward, int block, bool made) const;

 private:
  int64_t text_kv_bytes_, text_k_bytes_;
  int layers_;
  Buffer memory_;
};

}  // namespace wansweep
