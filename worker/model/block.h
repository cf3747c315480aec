// One block of the Wan transformer over this rank's tokens: self-attention, cross-attention and feed-forward, each with
// its norm, the first and the last modulated by the timestep.
#pragma once

#include "schema/weight_layout.h"
#include "worker/model/context.h"
#include "worker/model/sharded_attention.h"

namespace wansweep {

// The two forwards of a guided step differ only in their prompt, which is first read by the cross-attention of the
// first block. Everything before it, the prefix, is the same, and is computed once.
enum class Prefix : uint8_t {
  own,   // the forward computes its prefix and keeps nothing
  keep,  // the forward computes its prefix and keeps it in workspace.shared_prefix
  kept,  // the forward starts from the kept prefix, in the same step, with the same expert
};

// The device tensors that a forward carries from block to block.
struct Carried {
  std::byte* hidden = nullptr;      // [M, D]: the residual stream
  const std::byte* text = nullptr;  // [T, D]: the embedded prompt; not read where text_keys are made
  TextKeys text_keys;               // of the block that runs
};

class TransformerBlock {
 public:
  explicit TransformerBlock(const ModelContext& context);

  // Runs one block on carried.hidden, in place, conditioned on carried.text and workspace.time_proj. `prefix` is the
  // forward's for its first block, and `own` for all others.
  void run(const std::byte* weights, const Carried& carried, Prefix prefix, Place place);

 private:
  void modulate(const std::byte* weights);
  void self_attention(const std::byte* weights, std::byte* hidden, Place place);
  void cross_attention(const std::byte* weights, const Carried& carried, Place place);
  // LayerNorm of the hidden rows, to workspace.normed; gain and shift are f32.
  LayerNormArguments norm(const std::byte* hidden, const void* gain, float gain_offset, const void* shift_by) const;
  LayerNormArguments norm_of_cross_attention(const std::byte* weights, const std::byte* hidden) const;
  void feed_forward(const std::byte* weights, std::byte* hidden, Place place);

  Weight weight(const std::byte* base, int64_t offset) const { return {base + offset, w_.type}; }
  static Weight weight_f32(const void* data) { return {data, DType::f32}; }

  Device& device_;
  Ops& ops_;
  Recorder& recorder_;
  Workspace& w_;
  ShardedAttention attention_;
  int heads_;
  int head_dim_;
  int64_t rows_;  // this rank's tokens
  int64_t text_rows_;
  int64_t dim_;
  int64_t ffn_dim_;
  float eps_;
  BlockOffsets at_;
};

}  // namespace wansweep
