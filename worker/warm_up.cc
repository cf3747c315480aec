#include "worker/warm_up.h"

#include <algorithm>
#include <vector>

#include "base/float_formats.h"
#include "worker/model/block.h"
#include "worker/weights/random_values.h"

namespace wansweep {

namespace {

constexpr size_t drawn = size_t{1} << 20;

// Values as a run has them: what a product takes at a GPU's power limit depends on the bits that toggle.
class Filler {
 public:
  Filler(Device& device, float scale) : device_(device), f32_(drawn), bf16_(drawn) {
    fill_normal(1, "warm-up", 0, f32_, scale);
    std::transform(f32_.begin(), f32_.end(), bf16_.begin(), f32_to_bf16);
  }

  void fill(DType type, void* to, int64_t values) const {
    const void* from = type == DType::f32 ? static_cast<const void*>(f32_.data()) : bf16_.data();
    const int64_t size = size_of(type);
    auto* at = static_cast<std::byte*>(to);
    for (int64_t done = 0; done < values; done += static_cast<int64_t>(drawn)) {
      const int64_t count = std::min(values - done, static_cast<int64_t>(drawn));
      device_.copy_in(StreamId::compute, at + done * size, from, count * size);
    }
    device_.synchronize();
  }

 private:
  Device& device_;
  std::vector<float> f32_;
  std::vector<uint16_t> bf16_;
};

}  // namespace

void warm_up(const ModelContext& context) {
  const ModelConfig& config = context.config();
  Workspace& w = context.workspace;
  const int64_t rows = context.plan().tokens_per_rank;
  const Filler values(context.device, 1);
  values.fill(w.type, w.hidden, rows * config.dim());
  values.fill(w.type, w.text, context.run.input.text_tokens * config.dim());
  values.fill(DType::f32, w.time_proj, 6 * config.dim());
  values.fill(DType::f32, w.rotary, rows * config.head_dim);

  const int64_t bytes = block_layout(config, w.type).bytes;
  const Buffer weights = context.device.allocate(bytes, "a block's weights to warm up with");
  const FinishOnExit finish(context.device);
  Filler(context.device, 0.02F).fill(w.type, weights.data(), bytes / size_of(w.type));
  TransformerBlock(context).run(weights.data(), {w.hidden, w.text}, Prefix::own, {});
  context.device.synchronize();
}

}  // namespace wansweep
