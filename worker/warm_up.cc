// The first run of a block tries algorithms. It is repeated with each number of groups, since groups have other shapes.
// The layers outside blocks run once: their first products load libraries, which takes 0.1 s on a GPU.

#include "worker/warm_up.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/float_formats.h"
#include "worker/model/block.h"
#include "worker/model/outer_layers.h"
#include "worker/weights/random_values.h"

namespace wansweep {

namespace {

constexpr size_t drawn = size_t{1} << 20;

// Values like those of a run: at a GPU's power limit, the time of a product depends on the bits that toggle.
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

// The exchange that the two halves of the guidance make once a step, so that they are connected.
void connect_halves(const ModelContext& c) {
  const int half = c.plan().sequence_ranks();
  const int64_t bytes = c.plan().tokens_per_rank * c.config().patch_values() * size_of(c.workspace.type);
  const std::array<Exchange, 1> exchanges{
      Exchange{c.rank < half ? c.rank + half : c.rank - half, c.workspace.cond, bytes, c.workspace.uncond, bytes}};
  c.communicator->exchange(exchanges);
}

// Seconds of a block: the mean of `counted` runs after one that is not counted.
double seconds_of_block(const ModelContext& context, const std::byte* weights, int counted) {
  TransformerBlock block(context);
  const Workspace& w = context.workspace;
  const auto run = [&](bool text_made) {
    block.run(weights, {w.hidden, w.text, w.text_keys(0, 0, text_made)}, Prefix::own, {});
  };
  run(false);
  context.device.synchronize();
  const int64_t since = monotonic_ns();
  for (int i = 0; i < counted; ++i) run(true);
  context.device.synchronize();
  return static_cast<double>(monotonic_ns() - since) / 1e9 / counted;
}

// On random values, which stay in the workspace.
void run_outer_layers(const ModelContext& context, const Filler& values) {
  const Workspace& w = context.workspace;
  const int64_t bytes = other_layout(context.config(), w.type).bytes;
  const Buffer weights = context.device.allocate(bytes, "the weights outside blocks to warm up with");
  const FinishOnExit finish(context.device);
  values.fill(w.type, weights.data(), bytes / size_of(w.type));
  values.fill(w.type, w.tokens, context.plan().tokens_per_rank * context.config().patch_values());
  values.fill(w.type, w.prompt, context.run.input.text_tokens * context.config().text_dim);
  values.fill(DType::f32, w.frequencies, context.config().freq_dim);
  OuterLayers layers(context);
  layers.embed_tokens(weights.data(), w.hidden);
  layers.embed_text(weights.data(), w.prompt, w.text);
  layers.project(weights.data(), w.hidden, w.cond);
}

// All ranks use rank 0's choice. In an exchange each rank waits for the others, so the times are the same on all.
int fastest_groups(ModelContext context, MpiWorld& world, const std::byte* weights, std::span<const int> to_try) {
  constexpr double worth_it = 0.995;  // more groups must take less than this share of the time
  constexpr int blocks = 6;
  double best = 0;
  int choice = 0;
  for (const int groups : to_try) {
    context.exchange_groups = groups;
    const double seconds = seconds_of_block(context, weights, blocks);
    if (choice == 0 || seconds < worth_it * best) {
      best = seconds;
      choice = groups;
    }
  }
  return std::stoi(world.broadcast_text(std::to_string(choice)));
}

}  // namespace

WarmUp warm_up(ModelContext context, MpiWorld& world) {
  const int64_t since = monotonic_ns();
  const ModelConfig& config = context.config();
  Workspace& w = context.workspace;
  const int64_t rows = context.plan().tokens_per_rank;
  const Filler small_values(context.device, 0.02F);
  run_outer_layers(context, small_values);
  const Filler values(context.device, 1);
  values.fill(w.type, w.hidden, rows * config.dim());
  values.fill(w.type, w.text, context.run.input.text_tokens * config.dim());
  values.fill(DType::f32, w.time_proj, 6 * config.dim());
  values.fill(DType::f32, w.rotary, rows * config.head_dim);

  const int64_t bytes = block_layout(config, w.type).bytes;
  const Buffer weights = context.device.allocate(bytes, "a block's weights to warm up with");
  const FinishOnExit finish(context.device);
  small_values.fill(w.type, weights.data(), bytes / size_of(w.type));
  const std::vector<int> to_try = exchange_groups_to_try(context.run);
  context.exchange_groups = to_try.front();
  const double block_seconds = seconds_of_block(context, weights.data(), 1);
  if (context.plan().cfg > 1) connect_halves(context);
  context.device.synchronize();
  const int groups = to_try.size() > 1 ? fastest_groups(context, world, weights.data(), to_try) : to_try.front();
  return {static_cast<double>(monotonic_ns() - since) / 1e9, block_seconds, groups};
}

}  // namespace wansweep
