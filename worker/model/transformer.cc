#include "worker/model/transformer.h"

#include <algorithm>

#include "worker/trace/nvtx.h"

namespace wansweep {

namespace {

// Order of the modulation vectors in scale_shift_table [1, 6, D].
enum Modulation { shift, scale, gate, ffn_shift, ffn_scale, ffn_gate };

}  // namespace

Transformer::Transformer(Device& device, Recorder& recorder, Workspace& workspace, ShardedAttention& attention,
                         Offload& offload, const ModelConfig& config, int64_t tokens_per_rank, int64_t text_tokens)
    : device_(device),
      ops_(device.ops()),
      recorder_(recorder),
      w_(workspace),
      attention_(attention),
      offload_(offload),
      config_(config),
      rows_(tokens_per_rank),
      text_rows_(text_tokens),
      dim_(config.dim()),
      eps_(static_cast<float>(config.eps)),
      block_(block_offsets(block_layout(config, workspace.type))),
      other_(other_offsets(other_layout(config, workspace.type))),
      host_frequencies_(device.allocate_host(int64_t{config.freq_dim} * 4, HostMemory::pinned, "timestep embedding")) {}

void Transformer::set_timestep(int timestep) {
  const std::vector<float> embedding = timestep_embedding(timestep, config_.freq_dim);
  std::copy(embedding.begin(), embedding.end(), reinterpret_cast<float*>(host_frequencies_.data()));
  device_.copy_in(StreamId::compute, w_.frequencies, host_frequencies_.data(), host_frequencies_.bytes());
}

void Transformer::forward(int expert, const void* prompt, void* prediction, Beginning beginning) {
  const std::byte* rest = offload_.rest(expert);
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute);
  if (beginning != Beginning::kept) embed_tokens(rest);
  embed_text(rest, prompt);
  recorder_.end(span);
  for (int block = 0; block < config_.layers; ++block) {
    const NvtxRange range("block");
    recorder_.set_block(block);
    const std::byte* weights = offload_.acquire(expert, block);
    if (block > 0 || beginning == Beginning::own) {
      run_block(weights);
    } else {
      begin_block(weights, beginning);
      cross_attention(weights);
      feed_forward(weights);
    }
    offload_.release(expert, block);
  }
  recorder_.set_block(-1);
  project(expert, prediction);
}

// The first block up to its cross-attention, or what is kept of it.
void Transformer::begin_block(const std::byte* weights, Beginning beginning) {
  const int64_t bytes = rows_ * dim_ * size_of(w_.type);
  if (beginning == Beginning::keep) {
    self_attention(weights);
    device_.copy_device(StreamId::compute, w_.begun, w_.hidden, bytes);
    return;
  }
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute);
  modulate(weights);  // the feed-forward needs it, too
  device_.copy_device(StreamId::compute, w_.hidden, w_.begun, bytes);
  recorder_.end(span);
}

void Transformer::run_block(const std::byte* weights) {
  self_attention(weights);
  cross_attention(weights);
  feed_forward(weights);
}

void Transformer::embed_tokens(const std::byte* rest) {
  ops_.linear(w_.type, w_.tokens, weight(rest, other_.patch), weight(rest, other_.patch_bias), w_.hidden, rows_, dim_,
              config_.patch_values(), Activation::none);

  ops_.linear(DType::f32, w_.frequencies, weight_f32(rest + other_.time_in), weight_f32(rest + other_.time_in_bias),
              w_.time_inner, 1, dim_, config_.freq_dim, Activation::silu);
  ops_.linear(DType::f32, w_.time_inner, weight_f32(rest + other_.time_out), weight_f32(rest + other_.time_out_bias),
              w_.time, 1, dim_, dim_, Activation::none);
  ops_.silu(w_.time, w_.time_active, dim_);
  ops_.convert(DType::f32, w_.time_active, w_.type, w_.time_typed, dim_);
  ops_.linear(w_.type, w_.time_typed, weight(rest, other_.time_proj), weight(rest, other_.time_proj_bias),
              w_.time_proj_typed, 1, 6 * dim_, dim_, Activation::none);
  ops_.convert(w_.type, w_.time_proj_typed, DType::f32, w_.time_proj, 6 * dim_);
}

void Transformer::embed_text(const std::byte* rest, const void* prompt) {
  ops_.linear(w_.type, prompt, weight(rest, other_.text_in), weight(rest, other_.text_in_bias), w_.text_inner,
              text_rows_, dim_, config_.text_dim, Activation::gelu_tanh);
  ops_.linear(w_.type, w_.text_inner, weight(rest, other_.text_out), weight(rest, other_.text_out_bias), w_.text,
              text_rows_, dim_, dim_, Activation::none);
}

void Transformer::modulate(const std::byte* weights) {
  ops_.add_table(weight_f32(weights + block_.table), w_.time_proj, w_.modulation, 6 * dim_);
}

void Transformer::self_attention(const std::byte* weights) {
  Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute);
  modulate(weights);
  ops_.layer_norm(w_.type, w_.hidden, weight_f32(w_.modulation + scale * dim_), 1,
                  weight_f32(w_.modulation + shift * dim_), w_.normed, rows_, dim_, eps_);
  ops_.linear(w_.type, w_.normed, weight(weights, block_.attn1_qkv), weight(weights, block_.attn1_qkv_bias), w_.wide,
              rows_, 3 * dim_, dim_, Activation::none);
  attention_.split(weight(weights, block_.attn1_norm_q), weight(weights, block_.attn1_norm_k));
  recorder_.end(span);

  attention_.run(w_.normed);

  span = recorder_.begin(EventKind::compute, StreamId::compute);
  ops_.linear(w_.type, w_.normed, weight(weights, block_.attn1_out), weight(weights, block_.attn1_out_bias), w_.wide,
              rows_, dim_, dim_, Activation::none);
  ops_.add_gated(w_.type, w_.hidden, w_.wide, w_.modulation + gate * dim_, rows_, dim_);
  recorder_.end(span);
}

void Transformer::cross_attention(const std::byte* weights) {
  const int64_t value = size_of(w_.type);
  std::byte* q = w_.wide;
  std::byte* q_normed = w_.wide + rows_ * dim_ * value;
  Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute);
  ops_.layer_norm(w_.type, w_.hidden, weight_f32(weights + block_.norm2), 0, weight_f32(weights + block_.norm2_bias),
                  w_.normed, rows_, dim_, eps_);
  ops_.linear(w_.type, w_.normed, weight(weights, block_.attn2_q), weight(weights, block_.attn2_q_bias), q, rows_, dim_,
              dim_, Activation::none);
  ops_.rms_norm(w_.type, q, dim_, weight(weights, block_.attn2_norm_q), q_normed, rows_, dim_, eps_);
  ops_.linear(w_.type, w_.text, weight(weights, block_.attn2_kv), weight(weights, block_.attn2_kv_bias), w_.text_kv,
              text_rows_, 2 * dim_, dim_, Activation::none);
  ops_.rms_norm(w_.type, w_.text_kv, 2 * dim_, weight(weights, block_.attn2_norm_k), w_.text_k, text_rows_, dim_, eps_);
  recorder_.end(span);

  span = recorder_.begin(EventKind::attention, StreamId::compute);
  ops_.attention(w_.type, {q_normed, dim_}, {w_.text_k, dim_}, {w_.text_kv + dim_ * value, 2 * dim_}, w_.normed,
                 nullptr, rows_, text_rows_, config_.heads, config_.head_dim);
  recorder_.end(span);

  span = recorder_.begin(EventKind::compute, StreamId::compute);
  ops_.linear(w_.type, w_.normed, weight(weights, block_.attn2_out), weight(weights, block_.attn2_out_bias), w_.wide,
              rows_, dim_, dim_, Activation::none);
  ops_.add_gated(w_.type, w_.hidden, w_.wide, nullptr, rows_, dim_);
  recorder_.end(span);
}

void Transformer::feed_forward(const std::byte* weights) {
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute);
  ops_.layer_norm(w_.type, w_.hidden, weight_f32(w_.modulation + ffn_scale * dim_), 1,
                  weight_f32(w_.modulation + ffn_shift * dim_), w_.normed, rows_, dim_, eps_);
  ops_.linear(w_.type, w_.normed, weight(weights, block_.ffn_in), weight(weights, block_.ffn_in_bias), w_.wide, rows_,
              config_.ffn_dim, dim_, Activation::gelu_tanh);
  ops_.linear(w_.type, w_.wide, weight(weights, block_.ffn_out), weight(weights, block_.ffn_out_bias), w_.normed, rows_,
              dim_, config_.ffn_dim, Activation::none);
  ops_.add_gated(w_.type, w_.hidden, w_.normed, w_.modulation + ffn_gate * dim_, rows_, dim_);
  recorder_.end(span);
}

void Transformer::project(int expert, void* prediction) {
  const std::byte* rest = offload_.rest(expert);
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute);
  // scale_shift_table [1, 2, D] + the time embedding, which both of its rows share.
  for (int64_t row = 0; row < 2; ++row) {
    ops_.add_table(weight_f32(rest + other_.table + row * dim_ * 4), w_.time, w_.out_modulation + row * dim_, dim_);
  }
  ops_.layer_norm(w_.type, w_.hidden, weight_f32(w_.out_modulation + dim_), 1, weight_f32(w_.out_modulation), w_.normed,
                  rows_, dim_, eps_);
  ops_.linear(w_.type, w_.normed, weight(rest, other_.proj_out), weight(rest, other_.proj_out_bias), prediction, rows_,
              config_.patch_values(), dim_, Activation::none);
  recorder_.end(span);
}

}  // namespace wansweep
