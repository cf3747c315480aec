// Bytes that a run takes on each device and each host, before anything is allocated. The plan shows them; the worker
// lays out its memory by the same numbers, so that what was promised is what is taken.
#pragma once

#include <cstdint>
#include <string>

#include "schema/model_config.h"
#include "schema/parallel_plan.h"
#include "schema/setting_values.h"

namespace wansweep {

// How many blocks SGLang's --dit-offload-prefetch-size means: 0 -> 1; below 1 -> 1 + round(x (layers - 1)); else
// int(x). At most layers - 1, where every block is on its way already, and at least 1.
int prefetch_blocks(double prefetch, int layers);

// Blocks that `layerwise` holds on the device at most: those of the working expert, and the leading ones that the idle
// expert keeps. Found by playing two forwards of each expert.
int layerwise_slots(int layers, int prefetch_blocks, int experts);

struct MemoryRequest {
  ModelConfig config;
  bool two_experts = true;
  OffloadMode offload = OffloadMode::resident;
  double prefetch = 0;
  int bytes_per_value = 4;  // of weights and activations: 4 (fp32), 2 (bf16)
  int64_t text_tokens = 512;
  bool guided = true;  // a step has two forwards
};

// The regions of one rank's activations, in bytes. M: tokens a rank, D: model width, R: rows after the all-to-all.
struct ActivationBytes {
  int64_t hidden = 0;      // [M, D], twice: the residual stream, and a block's normed input or output
  int64_t wide = 0;        // [M, max(3 D, ffn)]: q, k, v side by side, or the feed-forward's inside
  int64_t begun = 0;       // [M, D], when both forwards of a step run here: what they share
  int64_t parts = 0;       // [M, D], thrice, when sharded: q, k, v by Ulysses part
  int64_t gathered = 0;    // [R, heads, head_dim], four times with Ulysses: q, k, v and the attention's output
  int64_t ring = 0;        // the next k and v, the partial output, and the f32 sum with its two log-sum-exps
  int64_t text = 0;        // prompts, embedded text, and its cross-attention k and v
  int64_t latents = 0;     // model input, two predictions, and the scheduler's f32 state
  int64_t modulation = 0;  // time embedding and modulation vectors
  int64_t rotary = 0;      // f32 [M, head_dim]: cosines and sines
  int64_t total() const;
};

ActivationBytes activation_bytes(const MemoryRequest& request, const ParallelPlan& plan);

struct MemoryEstimate {
  int64_t device_weights = 0;      // a rank
  int64_t device_activations = 0;  // a rank
  int64_t host_weights = 0;        // a rank: its private copy of what is not resident
  int64_t device_total() const { return device_weights + device_activations; }
};

MemoryEstimate estimate_memory(const MemoryRequest& request, const ParallelPlan& plan);

}  // namespace wansweep
