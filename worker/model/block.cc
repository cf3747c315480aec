// Follows diffusers' WanTransformerBlock. Each part ends with a gated addition to the residual stream, carried.hidden;
// its intermediate results are in workspace.normed and workspace.wide. The two attentions make that addition and the
// next part's norm in one pass, and leave the normed rows in workspace.normed.

#include "worker/model/block.h"

namespace wansweep {

namespace {

// The order of the modulation vectors in scale_shift_table [1, 6, D].
enum Modulation { shift, scale, gate, ffn_shift, ffn_scale, ffn_gate };

}  // namespace

TransformerBlock::TransformerBlock(const ModelContext& context)
    : device_(context.device),
      ops_(context.device.ops()),
      recorder_(context.recorder),
      w_(context.workspace),
      attention_(context),
      heads_(context.config().heads),
      head_dim_(context.config().head_dim),
      rows_(context.plan().tokens_per_rank),
      text_rows_(context.run.input.text_tokens),
      dim_(context.config().dim()),
      ffn_dim_(context.config().ffn_dim),
      eps_(static_cast<float>(context.config().eps)),
      at_(block_offsets(block_layout(context.config(), context.workspace.type))) {}

void TransformerBlock::run(const std::byte* weights, const Carried& carried, Prefix prefix, Place place) {
  const int64_t bytes = rows_ * dim_ * size_of(w_.type);
  switch (prefix) {
    case Prefix::own:
      self_attention(weights, carried.hidden, place);
      break;
    case Prefix::keep:
      self_attention(weights, carried.hidden, place);
      device_.copy_device(StreamId::compute, w_.shared_prefix, carried.hidden, bytes);
      break;
    case Prefix::kept: {
      const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, place);
      modulate(weights);                         // the feed-forward needs it too
      if (carried.hidden != w_.shared_prefix) {  // else the forward continues in the prefix's region
        device_.copy_device(StreamId::compute, carried.hidden, w_.shared_prefix, bytes);
      }
      ops_.layer_norm(norm_of_cross_attention(weights, carried.hidden));
      recorder_.end(span);
      break;
    }
  }
  cross_attention(weights, carried, place);
  feed_forward(weights, carried.hidden, place);
}

void TransformerBlock::modulate(const std::byte* weights) {
  ops_.add_table(weight_f32(weights + at_.table), w_.time_proj, w_.modulation, 6 * dim_);
}

void TransformerBlock::self_attention(const std::byte* weights, std::byte* hidden, Place place) {
  Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, place);
  modulate(weights);
  ops_.layer_norm(norm(hidden, w_.modulation + scale * dim_, 1, w_.modulation + shift * dim_));
  ops_.linear({.type = w_.type,
               .x = w_.normed,
               .w = weight(weights, at_.attn1_qkv),
               .bias = weight(weights, at_.attn1_qkv_bias),
               .y = w_.wide,
               .m = rows_,
               .n = 3 * dim_,
               .k = dim_});
  attention_.split(weight(weights, at_.attn1_norm_q), weight(weights, at_.attn1_norm_k));
  recorder_.end(span);

  attention_.run(w_.normed, place);

  span = recorder_.begin(EventKind::compute, StreamId::compute, place);
  ops_.linear({.type = w_.type,
               .x = w_.normed,
               .w = weight(weights, at_.attn1_out),
               .bias = weight(weights, at_.attn1_out_bias),
               .y = w_.wide,
               .m = rows_,
               .n = dim_,
               .k = dim_});
  ops_.add_gated_and_norm(hidden, w_.wide, w_.modulation + gate * dim_, norm_of_cross_attention(weights, hidden));
  recorder_.end(span);
}

LayerNormArguments TransformerBlock::norm_of_cross_attention(const std::byte* weights, const std::byte* hidden) const {
  return norm(hidden, weights + at_.norm2, 0, weights + at_.norm2_bias);
}

LayerNormArguments TransformerBlock::norm(const std::byte* hidden, const void* gain, float gain_offset,
                                          const void* shift_by) const {
  return {.type = w_.type,
          .x = hidden,
          .gain = weight_f32(gain),
          .gain_offset = gain_offset,
          .shift = weight_f32(shift_by),
          .y = w_.normed,
          .rows = rows_,
          .dim = dim_,
          .eps = eps_};
}

void TransformerBlock::cross_attention(const std::byte* weights, const Carried& carried, Place place) {
  const int64_t value = size_of(w_.type);
  std::byte* q = w_.wide;
  std::byte* q_normed = w_.wide + rows_ * dim_ * value;
  Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, place);
  ops_.linear({.type = w_.type,
               .x = w_.normed,
               .w = weight(weights, at_.attn2_q),
               .bias = weight(weights, at_.attn2_q_bias),
               .y = q,
               .m = rows_,
               .n = dim_,
               .k = dim_});
  ops_.rms_norm(w_.type, q, dim_, weight(weights, at_.attn2_norm_q), q_normed, rows_, dim_, eps_);
  const TextKeys& text = carried.text_keys;
  if (!text.made) {
    ops_.linear({.type = w_.type,
                 .x = carried.text,
                 .w = weight(weights, at_.attn2_kv),
                 .bias = weight(weights, at_.attn2_kv_bias),
                 .y = text.kv,
                 .m = text_rows_,
                 .n = 2 * dim_,
                 .k = dim_});
    ops_.rms_norm(w_.type, text.kv, 2 * dim_, weight(weights, at_.attn2_norm_k), text.k, text_rows_, dim_, eps_);
  }
  recorder_.end(span);

  span = recorder_.begin(EventKind::attention, StreamId::compute, place);
  ops_.attention({.type = w_.type,
                  .q = {q_normed, dim_},
                  .k = {text.k, dim_},
                  .v = {text.kv + dim_ * value, 2 * dim_},
                  .out = w_.normed,
                  .q_rows = rows_,
                  .kv_rows = text_rows_,
                  .heads = heads_,
                  .head_dim = head_dim_});
  recorder_.end(span);

  span = recorder_.begin(EventKind::compute, StreamId::compute, place);
  ops_.linear({.type = w_.type,
               .x = w_.normed,
               .w = weight(weights, at_.attn2_out),
               .bias = weight(weights, at_.attn2_out_bias),
               .y = w_.wide,
               .m = rows_,
               .n = dim_,
               .k = dim_});
  ops_.add_gated_and_norm(carried.hidden, w_.wide, nullptr,
                          norm(carried.hidden, w_.modulation + ffn_scale * dim_, 1, w_.modulation + ffn_shift * dim_));
  recorder_.end(span);
}

void TransformerBlock::feed_forward(const std::byte* weights, std::byte* hidden, Place place) {
  const Recorder::Span span = recorder_.begin(EventKind::compute, StreamId::compute, place);
  ops_.linear({.type = w_.type,
               .x = w_.normed,
               .w = weight(weights, at_.ffn_in),
               .bias = weight(weights, at_.ffn_in_bias),
               .y = w_.wide,
               .m = rows_,
               .n = ffn_dim_,
               .k = dim_,
               .activation = Activation::gelu_tanh});
  ops_.linear({.type = w_.type,
               .x = w_.wide,
               .w = weight(weights, at_.ffn_out),
               .bias = weight(weights, at_.ffn_out_bias),
               .y = w_.normed,
               .m = rows_,
               .n = dim_,
               .k = ffn_dim_});
  ops_.add_gated(w_.type, hidden, w_.normed, w_.modulation + ffn_gate * dim_, rows_, dim_);
  recorder_.end(span);
}

}  // namespace wansweep
