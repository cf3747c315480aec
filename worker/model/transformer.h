// The Wan transformer, written once over device operations: one rank's share of one forward.
//
// After diffusers' WanTransformer3DModel (text to video): patch embedding, time and text conditioning, blocks of
// self-attention, cross-attention and feed-forward with modulation, projection. Latents come and go as tokens.
#pragma once

#include "schema/model_config.h"
#include "schema/weight_layout.h"
#include "worker/device/device.h"
#include "worker/model/sharded_attention.h"
#include "worker/model/tokens.h"
#include "worker/model/workspace.h"
#include "worker/offload/offload.h"
#include "worker/trace/recorder.h"

namespace wansweep {

// The two forwards of a step with guidance differ in their prompt alone, which the first block's cross-attention is the
// first to read: all before it is the same, and is done once. `own`: the forward shares nothing. `keep`: it leaves its
// beginning in workspace.begun. `kept`: it goes on from there, in the same step, with the same expert.
enum class Beginning : uint8_t { own, keep, kept };

class Transformer {
 public:
  Transformer(Device& device, Recorder& recorder, Workspace& workspace, ShardedAttention& attention, Offload& offload,
              const ModelConfig& config, int64_t tokens_per_rank, int64_t text_tokens);

  const ModelConfig& config() const { return config_; }

  // Of the step that begins: what the next forwards are conditioned on. The device must have finished the step before.
  void set_timestep(int timestep);

  // workspace.tokens [M, patch values] with `prompt` [T, text_dim] through `expert` (0 or 1) to `prediction`
  // [M, patch values], in the order of the latents' tokens.
  void forward(int expert, const void* prompt, void* prediction, Beginning beginning);

  // One block over workspace.hidden, conditioned on workspace.text and time_proj.
  void run_block(const std::byte* weights);

 private:
  void embed_tokens(const std::byte* rest);
  void embed_text(const std::byte* rest, const void* prompt);
  void begin_block(const std::byte* weights, Beginning beginning);
  void modulate(const std::byte* weights);
  void self_attention(const std::byte* weights);
  void cross_attention(const std::byte* weights);
  void feed_forward(const std::byte* weights);
  void project(int expert, void* prediction);

  Weight weight(const std::byte* base, int64_t offset) const { return {base + offset, w_.type}; }
  static Weight weight_f32(const void* data) { return {data, DType::f32}; }

  Device& device_;
  Ops& ops_;
  Recorder& recorder_;
  Workspace& w_;
  ShardedAttention& attention_;
  Offload& offload_;
  ModelConfig config_;
  int64_t rows_;
  int64_t text_rows_;
  int64_t dim_;
  float eps_;
  BlockOffsets block_;
  OtherOffsets other_;
  Buffer host_frequencies_;
};

}  // namespace wansweep
