#include "schema/weight_layout.h"

#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace wansweep {

namespace {

class LayoutBuilder {
 public:
  // `joined`: the tensor follows the one before it without a gap, so that both form one matrix.
  void add(std::string name, std::vector<int64_t> shape, DType type, bool joined = false) {
    if (!joined) layout_.bytes = align_up(layout_.bytes);
    TensorPlace place{std::move(name), std::move(shape), type, layout_.bytes};
    layout_.bytes += place.values() * size_of(type);
    layout_.tensors.push_back(std::move(place));
  }
  void add_linear(const std::string& name, int64_t out, int64_t in, DType type) {
    add(name + ".weight", {out, in}, type);
    add(name + ".bias", {out}, type);
  }
  BufferLayout finish() {
    layout_.bytes = align_up(layout_.bytes);
    return std::move(layout_);
  }

 private:
  BufferLayout layout_;
};

int64_t offset_of(const BufferLayout& layout, const std::string& name) {
  for (const TensorPlace& place : layout.tensors) {
    if (place.name == name) return place.offset;
  }
  throw Error(ExitCode::internal, fmt::format("weight layout: no tensor {}", name));
}

}  // namespace

int64_t TensorPlace::values() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

BufferLayout block_layout(const ModelConfig& c, DType type) {
  const int64_t d = c.dim();
  LayoutBuilder b;
  b.add("scale_shift_table", {1, 6, d}, DType::f32);
  b.add("attn1.to_q.weight", {d, d}, type);
  b.add("attn1.to_k.weight", {d, d}, type, true);
  b.add("attn1.to_v.weight", {d, d}, type, true);
  b.add("attn1.to_q.bias", {d}, type);
  b.add("attn1.to_k.bias", {d}, type, true);
  b.add("attn1.to_v.bias", {d}, type, true);
  b.add("attn1.norm_q.weight", {d}, type);
  b.add("attn1.norm_k.weight", {d}, type);
  b.add_linear("attn1.to_out.0", d, d, type);
  b.add("norm2.weight", {d}, DType::f32);
  b.add("norm2.bias", {d}, DType::f32);
  b.add_linear("attn2.to_q", d, d, type);
  b.add("attn2.to_k.weight", {d, d}, type);
  b.add("attn2.to_v.weight", {d, d}, type, true);
  b.add("attn2.to_k.bias", {d}, type);
  b.add("attn2.to_v.bias", {d}, type, true);
  b.add("attn2.norm_q.weight", {d}, type);
  b.add("attn2.norm_k.weight", {d}, type);
  b.add_linear("attn2.to_out.0", d, d, type);
  b.add_linear("ffn.net.0.proj", c.ffn_dim, d, type);
  b.add_linear("ffn.net.2", d, c.ffn_dim, type);
  return b.finish();
}

BufferLayout other_layout(const ModelConfig& c, DType type) {
  const int64_t d = c.dim();
  const int64_t out_values = int64_t{c.out_channels} * c.patch_frames * c.patch_height * c.patch_width;
  LayoutBuilder b;
  b.add("patch_embedding.weight", {d, c.in_channels, c.patch_frames, c.patch_height, c.patch_width}, type);
  b.add("patch_embedding.bias", {d}, type);
  b.add_linear("condition_embedder.time_embedder.linear_1", d, c.freq_dim, DType::f32);
  b.add_linear("condition_embedder.time_embedder.linear_2", d, d, DType::f32);
  b.add_linear("condition_embedder.time_proj", 6 * d, d, type);
  b.add_linear("condition_embedder.text_embedder.linear_1", d, c.text_dim, type);
  b.add_linear("condition_embedder.text_embedder.linear_2", d, d, type);
  b.add_linear("proj_out", out_values, d, type);
  b.add("scale_shift_table", {1, 2, d}, DType::f32);
  return b.finish();
}

BlockOffsets block_offsets(const BufferLayout& block) {
  auto at = [&](const char* name) { return offset_of(block, name); };
  BlockOffsets o{};
  o.table = at("scale_shift_table");
  o.attn1_qkv = at("attn1.to_q.weight");
  o.attn1_qkv_bias = at("attn1.to_q.bias");
  o.attn1_norm_q = at("attn1.norm_q.weight");
  o.attn1_norm_k = at("attn1.norm_k.weight");
  o.attn1_out = at("attn1.to_out.0.weight");
  o.attn1_out_bias = at("attn1.to_out.0.bias");
  o.norm2 = at("norm2.weight");
  o.norm2_bias = at("norm2.bias");
  o.attn2_q = at("attn2.to_q.weight");
  o.attn2_q_bias = at("attn2.to_q.bias");
  o.attn2_kv = at("attn2.to_k.weight");
  o.attn2_kv_bias = at("attn2.to_k.bias");
  o.attn2_norm_q = at("attn2.norm_q.weight");
  o.attn2_norm_k = at("attn2.norm_k.weight");
  o.attn2_out = at("attn2.to_out.0.weight");
  o.attn2_out_bias = at("attn2.to_out.0.bias");
  o.ffn_in = at("ffn.net.0.proj.weight");
  o.ffn_in_bias = at("ffn.net.0.proj.bias");
  o.ffn_out = at("ffn.net.2.weight");
  o.ffn_out_bias = at("ffn.net.2.bias");
  return o;
}

OtherOffsets other_offsets(const BufferLayout& other) {
  auto at = [&](const char* name) { return offset_of(other, name); };
  OtherOffsets o{};
  o.patch = at("patch_embedding.weight");
  o.patch_bias = at("patch_embedding.bias");
  o.time_in = at("condition_embedder.time_embedder.linear_1.weight");
  o.time_in_bias = at("condition_embedder.time_embedder.linear_1.bias");
  o.time_out = at("condition_embedder.time_embedder.linear_2.weight");
  o.time_out_bias = at("condition_embedder.time_embedder.linear_2.bias");
  o.time_proj = at("condition_embedder.time_proj.weight");
  o.time_proj_bias = at("condition_embedder.time_proj.bias");
  o.text_in = at("condition_embedder.text_embedder.linear_1.weight");
  o.text_in_bias = at("condition_embedder.text_embedder.linear_1.bias");
  o.text_out = at("condition_embedder.text_embedder.linear_2.weight");
  o.text_out_bias = at("condition_embedder.text_embedder.linear_2.bias");
  o.proj_out = at("proj_out.weight");
  o.proj_out_bias = at("proj_out.bias");
  o.table = at("scale_shift_table");
  return o;
}

}  // namespace wansweep
