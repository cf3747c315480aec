// The bytes that a run needs on each device and each host, and the bytes that it moves between them, computed from the
// weights' layout and the schedule before anything is allocated. `plan` shows these numbers, and the worker lays out
// its memory by the same ones, so that a run takes to the byte what was planned. Libraries take more: workspaces of
// cuBLAS and cuDNN, buffers of NCCL.
#pragma once

#include <cstdint>
#include <span>

#include "schema/dtype.h"
#include "schema/model_config.h"
#include "schema/parallel_plan.h"
#include "schema/schedule.h"
#include "schema/setting_values.h"

namespace wansweep {

// The sizes that one rank computes with.
struct ActivationRequest {
  ModelConfig config;
  DType type = DType::f32;  // of weights and activations
  int64_t text_tokens = 512;
  bool both_forwards = true;  // this rank runs cond and uncond of each step
  GuidanceOrder order = GuidanceOrder::branch;
  bool keeps_text = false;  // each block's cross-attention k and v of the text, for one expert at a time
  bool goes_block_by_block() const { return both_forwards && order == GuidanceOrder::block; }
};

// The regions of one rank's activations, in bytes. M: tokens of a rank, D: model width, R: rows after the all-to-all.
struct ActivationBytes {
  int64_t hidden = 0;  // [M, D], twice: the residual stream, and a block's normed input or output
  int64_t wide = 0;    // [M, max(3 D, ffn)]: q, k, v side by side, or the feed-forward's inside
  int64_t shared_prefix =
      0;  // [M, D], when both forwards of a step run here: the embedded latents that they share, or,
  // block by block, the second one's residual stream
  int64_t parts = 0;       // [M, D], thrice, when sharded: q, k, v by Ulysses part
  int64_t gathered = 0;    // [R, heads, head_dim], four times with Ulysses: q, k, v and the attention's output
  int64_t ring = 0;        // the next k and v, the partial output, and the f32 sum with its two log-sum-exps
  int64_t text = 0;        // prompts, embedded text (of each forward, block by block), its cross-attention k and v
  int64_t text_cache = 0;  // k and v of the text for each forward and block, when they are kept: [T, 2 D] and [T, D]
  int64_t latents = 0;     // model input, two predictions, the scheduler's f32 state, and a count
  int64_t modulation = 0;  // time embedding and modulation vectors
  int64_t rotary = 0;      // f32 [M, head_dim]: cosines and sines
  int64_t total() const;
};

ActivationBytes activation_bytes(const ActivationRequest& request, const ParallelPlan& plan);

// The sizes of the weights: each expert has `layers` blocks, and weights outside them.
struct WeightBytes {
  int64_t block = 0;
  int64_t other = 0;
  int layers = 0;
  int experts = 1;
  int64_t expert() const { return block * layers + other; }
  int64_t largest_piece() const { return block > other ? block : other; }
};

WeightBytes weight_bytes(const ModelConfig& config, DType type, int experts);

// The number of host buffers, each for one piece (a block, or the weights outside blocks), that copies use in turn:
// weights pass through them on the way to the device when the host keeps no copy, and `swap` copies out into them.
inline constexpr int host_ring_pieces = 2;

struct MemoryEstimate {
  int64_t device_weights = 0;      // a rank: the schedule's slots
  int64_t device_activations = 0;  // a rank
  int64_t host_weights = 0;        // a rank, while the loop runs: its copy of the experts, if its schedule needs one
  int64_t host_shared = 0;         // a node: the copy that its ranks share, if they do
  int64_t host_ring = 0;           // a rank: buffers for copies out, and for loading
  int64_t device_total() const { return device_weights + device_activations; }
  int64_t host_total() const { return host_weights + host_ring; }  // a rank's own
  int64_t host_of_node(int64_t ranks) const { return host_shared + ranks * host_total(); }
};

MemoryEstimate estimate_memory(const WeightBytes& weights, const Schedule& schedule, const ActivationBytes& activations,
                               HostStoreKind store = HostStoreKind::per_rank);

// The bytes that cross a rank's link, both directions together. A copy counts in the step in which it may start.
struct MovedBytes {
  int64_t before_loop = 0;  // the first load
  int64_t in_loop = 0;
  int64_t median_step = 0;  // with an even number of steps, the lesser of the two in the middle
  int64_t most_in_step = 0;
  int64_t total() const { return before_loop + in_loop; }
};

MovedBytes moved_bytes(const WeightBytes& weights, const Schedule& schedule, std::span<const Use> uses);

// Bytes by step, from 1; element 0 is the first load, before the loop.
std::vector<int64_t> moved_by_step(const WeightBytes& weights, const Schedule& schedule, std::span<const Use> uses);

}  // namespace wansweep
