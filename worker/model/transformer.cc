// One pass: the layers outside blocks run here, the blocks in block.cc, each between the streamer's acquire() and
// release(). The weights outside blocks are acquired once, before the first block.

#include "worker/model/transformer.h"

#include <algorithm>

#include "worker/model/tokens.h"
#include "worker/trace/nvtx.h"

namespace wansweep {

Transformer::Transformer(const ModelContext& context, Streamer& streamer)
    : device_(context.device),
      ops_(context.device.ops()),
      recorder_(context.recorder),
      w_(context.workspace),
      streamer_(streamer),
      block_(context),
      config_(context.config()),
      rows_(context.plan().tokens_per_rank),
      text_rows_(context.run.input.text_tokens),
      dim_(context.config().dim()),
      at_(other_offsets(other_layout(context.config(), context.workspace.type))),
      host_frequencies_(device_.allocate_host(int64_t{config_.freq_dim} * 4, HostMemory::pinned, "timestep embedding")),
      finish_(context.device) {}

void Transformer::set_timestep(int timestep) {
  const std::vector<float> embedding = timestep_embedding(timestep, config_.freq_dim);
  std::copy(embedding.begin(), embedding.end(), reinterpret_cast<float*>(host_frequencies_.data()));
  device_.copy_in(StreamId::compute, w_.frequencies, host_frequencies_.data(), host_frequencies_.bytes());
}

void Transformer::forward(int step, int expert, std::span<const Branch> branches) {
  const auto of_expert = static_cast<int8_t>(expert);
  const std::byte* other = streamer_.other(expert);
  for (const Branch& branch : branches) {
    const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, {of_expert, branch.forward, -1});
    if (branch.prefix != Prefix::kept) embed_tokens(other, branch.hidden);
    embed_text(other, branch);
    recorder_.end(span);
  }
  const int8_t pass = branches.size() > 1 ? forward_both : branches.front().forward;
  for (int16_t block = 0; block < config_.layers; ++block) {
    const NvtxRange range("block");
    const Use use{step, of_expert, pass, block};
    const std::byte* weights = streamer_.acquire(use);
    for (const Branch& branch : branches) {
      const Prefix prefix = block == 0 ? branch.prefix : Prefix::own;
      block_.run(weights, {branch.hidden, branch.text}, prefix, {of_expert, branch.forward, block});
    }
    streamer_.release(use);
  }
  for (const Branch& branch : branches) {
    const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, {of_expert, branch.forward, -1});
    project(other, branch);
    recorder_.end(span);
  }
}

void Transformer::embed_tokens(const std::byte* other, std::byte* hidden) {
  ops_.linear({.type = w_.type,
               .x = w_.tokens,
               .w = weight(other, at_.patch),
               .bias = weight(other, at_.patch_bias),
               .y = hidden,
               .m = rows_,
               .n = dim_,
               .k = config_.patch_values()});

  ops_.linear({.type = DType::f32,
               .x = w_.frequencies,
               .w = weight_f32(other + at_.time_in),
               .bias = weight_f32(other + at_.time_in_bias),
               .y = w_.time_inner,
               .m = 1,
               .n = dim_,
               .k = config_.freq_dim,
               .activation = Activation::silu});
  ops_.linear({.type = DType::f32,
               .x = w_.time_inner,
               .w = weight_f32(other + at_.time_out),
               .bias = weight_f32(other + at_.time_out_bias),
               .y = w_.time,
               .m = 1,
               .n = dim_,
               .k = dim_});
  ops_.silu(w_.time, w_.time_active, dim_);
  ops_.convert(DType::f32, w_.time_active, w_.type, w_.time_typed, dim_);
  ops_.linear({.type = w_.type,
               .x = w_.time_typed,
               .w = weight(other, at_.time_proj),
               .bias = weight(other, at_.time_proj_bias),
               .y = w_.time_proj_typed,
               .m = 1,
               .n = 6 * dim_,
               .k = dim_});
  ops_.convert(w_.type, w_.time_proj_typed, DType::f32, w_.time_proj, 6 * dim_);
}

void Transformer::embed_text(const std::byte* other, const Branch& branch) {
  ops_.linear({.type = w_.type,
               .x = branch.prompt,
               .w = weight(other, at_.text_in),
               .bias = weight(other, at_.text_in_bias),
               .y = w_.text_inner,
               .m = text_rows_,
               .n = dim_,
               .k = config_.text_dim,
               .activation = Activation::gelu_tanh});
  ops_.linear({.type = w_.type,
               .x = w_.text_inner,
               .w = weight(other, at_.text_out),
               .bias = weight(other, at_.text_out_bias),
               .y = branch.text,
               .m = text_rows_,
               .n = dim_,
               .k = dim_});
}

void Transformer::project(const std::byte* other, const Branch& branch) {
  // scale_shift_table [1, 2, D] plus the time embedding, which both rows share.
  for (int64_t row = 0; row < 2; ++row) {
    ops_.add_table(weight_f32(other + at_.table + row * dim_ * 4), w_.time, w_.out_modulation + row * dim_, dim_);
  }
  ops_.layer_norm({.type = w_.type,
                   .x = branch.hidden,
                   .gain = weight_f32(w_.out_modulation + dim_),
                   .gain_offset = 1,
                   .shift = weight_f32(w_.out_modulation),
                   .y = w_.normed,
                   .rows = rows_,
                   .dim = dim_,
                   .eps = static_cast<float>(config_.eps)});
  ops_.linear({.type = w_.type,
               .x = w_.normed,
               .w = weight(other, at_.proj_out),
               .bias = weight(other, at_.proj_out_bias),
               .y = branch.prediction,
               .m = rows_,
               .n = config_.patch_values(),
               .k = dim_});
}

}  // namespace wansweep
