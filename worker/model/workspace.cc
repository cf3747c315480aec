#include "worker/model/workspace.h"

#include "base/error.h"
#include "base/units.h"

namespace wansweep {

namespace {

// Cuts a region into parts, in order. A region of size 0 gives null.
class Cutter {
 public:
  explicit Cutter(std::byte* at) : at_(at) {}
  std::byte* take(int64_t bytes) {
    if (bytes == 0) return nullptr;
    std::byte* region = at_;
    at_ += align_up(bytes);
    return region;
  }
  float* take_floats(int64_t count) { return reinterpret_cast<float*>(take(count * 4)); }
  std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

}  // namespace

Workspace::Workspace(Device& device, const ActivationRequest& request, const ParallelPlan& plan) : type(request.type) {
  const ActivationBytes bytes = activation_bytes(request, plan);
  const ModelConfig& c = request.config;
  const int64_t t = size_of(request.type);
  const int64_t dim = c.dim();
  memory_ = device.allocate(bytes.total(), "activations");
  Cutter cut(memory_.data());

  hidden = cut.take(bytes.hidden);
  normed = cut.take(bytes.hidden);
  wide = cut.take(bytes.wide);
  shared_prefix = cut.take(bytes.shared_prefix);
  for (std::byte*& part : parts) part = cut.take(bytes.parts);
  for (std::byte*& part : gathered) part = cut.take(bytes.gathered);
  const int64_t ring_values =
      plan.ring > 1 ? plan.tokens_per_rank * plan.ulysses * plan.heads_per_ulysses_rank.front() : 0;
  ring_k = cut.take(ring_values * c.head_dim * t);
  ring_v = cut.take(ring_values * c.head_dim * t);
  ring_part = cut.take(ring_values * c.head_dim * t);
  ring_sum = cut.take_floats(ring_values * c.head_dim);
  ring_sum_lse = cut.take_floats(ring_values);
  ring_part_lse = cut.take_floats(ring_values);
  const int64_t text_rows = request.text_tokens;
  prompt = cut.take(text_rows * c.text_dim * t);
  negative_prompt = cut.take(text_rows * c.text_dim * t);
  text = cut.take(text_rows * dim * t);
  text_inner = cut.take(text_rows * dim * t);
  second_text = cut.take(request.goes_block_by_block() ? text_rows * dim * t : 0);
  text_k = cut.take(text_rows * dim * t);
  text_kv = cut.take(text_rows * 2 * dim * t);
  text_cache = cut.take(bytes.text_cache);
  text_kv_bytes_ = align_up(text_rows * 2 * dim * t);
  text_k_bytes_ = align_up(text_rows * dim * t);
  layers_ = c.layers;
  const int64_t values = plan.tokens_per_rank * c.patch_values();
  tokens = cut.take(values * t);
  cond = cut.take(values * t);
  uncond = cut.take(values * t);
  latents = cut.take_floats(values);
  last = cut.take_floats(values);
  m0 = cut.take_floats(values);
  m1 = cut.take_floats(values);
  noise_pred = cut.take_floats(values);
  not_finite = reinterpret_cast<int64_t*>(cut.take(8));
  frequencies = cut.take_floats(c.freq_dim);
  time_inner = cut.take_floats(dim);
  time = cut.take_floats(dim);
  time_active = cut.take_floats(dim);
  time_typed = reinterpret_cast<std::byte*>(cut.take_floats(dim));
  time_proj_typed = reinterpret_cast<std::byte*>(cut.take_floats(6 * dim));
  time_proj = cut.take_floats(6 * dim);
  modulation = cut.take_floats(6 * dim);
  out_modulation = cut.take_floats(2 * dim);
  rotary = cut.take_floats(plan.tokens_per_rank * c.head_dim);
  if (cut.at() - memory_.data() != bytes.total()) {
    throw Error(ExitCode::internal, "workspace: the regions are not as large as activation_bytes says");
  }
}

TextKeys Workspace::text_keys(int forward, int block, bool made) const {
  if (text_cache == nullptr) return {text_kv, text_k, false};
  std::byte* at = text_cache + (int64_t{forward} * layers_ + block) * (text_kv_bytes_ + text_k_bytes_);
  return {at, at + text_kv_bytes_, made};
}

}  // namespace wansweep
