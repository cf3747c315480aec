// The Wan transformer over device operations: one rank's share of a forward.
//
// Follows diffusers' WanTransformer3DModel (text to video): patch embedding, time and text conditioning, the blocks,
// the projection. Input and output are tokens. The rank's main thread calls it.
#pragma once

#include <span>

#include "schema/uses.h"
#include "schema/weight_layout.h"
#include "worker/model/block.h"
#include "worker/model/context.h"
#include "worker/offload/streamer.h"

namespace wansweep {

// One of a step's forwards.
struct Branch {
  int8_t forward = forward_cond;
  const void* prompt = nullptr;  // [T, text_dim]
  void* prediction = nullptr;    // [M, patch values], in the order of the latents' tokens
  std::byte* hidden = nullptr;   // [M, D]: where its residual stream lies
  std::byte* text = nullptr;     // [T, D]: where its embedded prompt lies
  Prefix prefix = Prefix::own;
};

class Transformer {
 public:
  Transformer(const ModelContext& context, Streamer& streamer);

  // Computes the time conditioning of the step that begins. The device must have finished the step before.
  void set_timestep(int timestep);

  // One pass of workspace.tokens [M, patch values] through the blocks of `expert` (0 or 1) to the branches'
  // predictions. Several branches go through each block one after the other, in regions of their own. Throws as the
  // streamer does.
  void forward(int step, int expert, std::span<const Branch> branches);

 private:
  void embed_tokens(const std::byte* other, std::byte* hidden);
  void embed_text(const std::byte* other, const Branch& branch);
  void project(const std::byte* other, const Branch& branch);

  Weight weight(const std::byte* base, int64_t offset) const { return {base + offset, w_.type}; }
  static Weight weight_f32(const void* data) { return {data, DType::f32}; }

  Device& device_;
  Ops& ops_;
  Recorder& recorder_;
  Workspace& w_;
  Streamer& streamer_;
  TransformerBlock block_;
  const ModelConfig& config_;
  int64_t rows_;
  int64_t text_rows_;
  int64_t dim_;
  OtherOffsets at_;
  Buffer host_frequencies_;
  FinishOnExit finish_;  // declared last: a copy from host_frequencies_ may be under way
};

}  // namespace wansweep
