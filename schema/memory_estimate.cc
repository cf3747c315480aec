#include "schema/memory_estimate.h"

#include <algorithm>
#include <numeric>

#include "base/units.h"
#include "schema/weight_layout.h"

namespace wansweep {

int64_t ActivationBytes::total() const {
  return 2 * hidden + wide + shared_prefix + 3 * parts + 4 * gathered + ring + text + text_cache + latents +
         modulation + rotary;
}

ActivationBytes activation_bytes(const ActivationRequest& request, const ParallelPlan& plan) {
  const ModelConfig& c = request.config;
  const int64_t t = size_of(request.type);
  const int64_t rows = plan.tokens_per_rank;
  const int64_t dim = c.dim();
  const int64_t most_heads = plan.heads_per_ulysses_rank.empty() ? c.heads : plan.heads_per_ulysses_rank.front();
  const int64_t gathered_values = rows * plan.ulysses * most_heads * c.head_dim;

  ActivationBytes bytes;
  bytes.hidden = align_up(rows * dim * t);
  bytes.wide = align_up(rows * std::max<int64_t>(3 * dim, c.ffn_dim) * t);
  if (request.both_forwards) bytes.shared_prefix = bytes.hidden;
  if (plan.sequence_ranks() > 1) bytes.parts = align_up(rows * dim * t);
  if (plan.ulysses > 1) bytes.gathered = align_up(gathered_values * t);
  if (plan.ring > 1) {
    const int64_t lse = align_up(rows * plan.ulysses * most_heads * 4);
    bytes.ring = 3 * align_up(gathered_values * t) + align_up(gathered_values * 4) + 2 * lse;
  }
  const int64_t text = request.text_tokens;
  bytes.text = 2 * align_up(text * c.text_dim * t) + 3 * align_up(text * dim * t) + align_up(text * 2 * dim * t);
  if (request.goes_block_by_block()) bytes.text += align_up(text * dim * t);
  if (request.keeps_text) {
    const int64_t forwards = request.both_forwards ? 2 : 1;
    bytes.text_cache = forwards * c.layers * (align_up(text * 2 * dim * t) + align_up(text * dim * t));
  }
  const int64_t values = rows * c.patch_values();
  bytes.latents = 3 * align_up(values * t) + 5 * align_up(values * 4) + align_up(8);
  bytes.modulation =
      align_up(int64_t{c.freq_dim} * 4) + 4 * align_up(dim * 4) + 3 * align_up(6 * dim * 4) + align_up(2 * dim * 4);
  bytes.rotary = align_up(rows * c.head_dim * 4);
  return bytes;
}

WeightBytes weight_bytes(const ModelConfig& config, DType type, int experts) {
  return {block_layout(config, type).bytes, other_layout(config, type).bytes, config.layers, experts};
}

MemoryEstimate estimate_memory(const WeightBytes& weights, const Schedule& schedule, const ActivationBytes& activations,
                               HostStoreKind store) {
  const bool keeps_host_copy = reads_host_in_loop(schedule);
  MemoryEstimate estimate;
  estimate.device_weights = schedule.slots * weights.block + schedule.other_slots * weights.other;
  estimate.device_activations = activations.total();
  if (keeps_host_copy) {
    int64_t& copy = store == HostStoreKind::per_node ? estimate.host_shared : estimate.host_weights;
    copy = weights.experts * weights.expert();
  }
  if (!keeps_host_copy || copies_out(schedule)) estimate.host_ring = host_ring_pieces * weights.largest_piece();
  return estimate;
}

std::vector<int64_t> moved_by_step(const WeightBytes& weights, const Schedule& schedule, std::span<const Use> uses) {
  std::vector<int64_t> moved(uses.empty() ? 1 : static_cast<size_t>(uses.back().step) + 1);
  for (const Transfer& t : schedule.transfers) {
    const int step = t.starts == before_loop ? 0 : uses[static_cast<size_t>(t.starts)].step;
    moved[static_cast<size_t>(step)] += t.block == outside_blocks ? weights.other : weights.block;
  }
  return moved;
}

MovedBytes moved_bytes(const WeightBytes& weights, const Schedule& schedule, std::span<const Use> uses) {
  std::vector<int64_t> steps = moved_by_step(weights, schedule, uses);
  MovedBytes moved;
  moved.before_loop = steps.front();
  steps.erase(steps.begin());
  if (steps.empty()) return moved;
  std::sort(steps.begin(), steps.end());
  moved.in_loop = std::accumulate(steps.begin(), steps.end(), int64_t{0});
  moved.median_step = steps[(steps.size() - 1) / 2];
  moved.most_in_step = steps.back();
  return moved;
}

}  // namespace wansweep
