#include "worker/model/outer_layers.h"

namespace wansweep {

OuterLayers::OuterLayers(const ModelContext& context)
    : ops_(context.device.ops()),
      w_(context.workspace),
      config_(context.config()),
      rows_(context.plan().tokens_per_rank),
      text_rows_(context.run.input.text_tokens),
      dim_(context.config().dim()),
      at_(other_offsets(other_layout(context.config(), context.workspace.type))) {}

void OuterLayers::embed_tokens(const std::byte* other, std::byte* hidden) {
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

void OuterLayers::embed_text(const std::byte* other, const void* prompt, std::byte* text) {
  ops_.linear({.type = w_.type,
               .x = prompt,
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
               .y = text,
               .m = text_rows_,
               .n = dim_,
               .k = dim_});
}

void OuterLayers::project(const std::byte* other, const std::byte* hidden, void* prediction) {
  // scale_shift_table [1, 2, D] plus the time embedding, which both rows share.
  for (int64_t row = 0; row < 2; ++row) {
    ops_.add_table(weight_f32(other + at_.table + row * dim_ * 4), w_.time, w_.out_modulation + row * dim_, dim_);
  }
  ops_.layer_norm({.type = w_.type,
                   .x = hidden,
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
               .y = prediction,
               .m = rows_,
               .n = config_.patch_values(),
               .k = dim_});
}

}  // namespace wansweep
