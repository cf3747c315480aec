// The Wan transformer over device operations: one rank's share of a forward.
//
// Follows diffusers' WanTransformer3DModel (text to video): patch embedding, time and text conditioning, the blocks,
// the projection. Input and output are tokens. The rank's main thread calls it.
#pragma once

#include <array>
#include <span>

#include "schema/uses.h"
#include "worker/model/block.h"
#include "worker/model/context.h"
#include "worker/model/outer_layers.h"
#include "worker/offload/streamer.h"

namespace wansweep {

// One of a step's forwards.
struct Branch {
  int8_t forward = forward_cond;
  int index = 0;                 // among the forwards of this rank
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
  // predictions. Several branches go through each block one after the other, in regions of their own. With a text
  // cache, the first pass of an expert fills it. Throws as the streamer does.
  void forward(int step, int expert, std::span<const Branch> branches);

 private:
  Device& device_;
  Recorder& recorder_;
  Workspace& w_;
  Streamer& streamer_;
  OuterLayers outer_;
  TransformerBlock block_;
  const ModelConfig& config_;
  std::array<int, 2> text_of_expert_{-1, -1};  // by forward of this rank: the expert whose text keys the cache has
  Buffer host_frequencies_;
  FinishOnExit finish_;  // declared last: a copy from host_frequencies_ may be under way
};

}  // namespace wansweep
