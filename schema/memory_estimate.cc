#include "schema/memory_estimate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/units.h"

namespace wansweep {

int prefetch_blocks(double prefetch, int layers) {
  int blocks = 1;
  if (prefetch >= 1) {
    blocks = static_cast<int>(std::min<double>(prefetch, layers));
  } else if (prefetch > 0) {
    blocks = 1 + static_cast<int>(std::lround(prefetch * (layers - 1)));
  }
  return std::clamp(blocks, 1, std::max(1, layers - 1));
}

int layerwise_slots(int layers, int prefetch, int experts) {
  std::vector<bool> held(static_cast<size_t>(layers), false);
  int count = 0;
  int most = 0;
  auto fetch = [&](int block) {
    if (held[static_cast<size_t>(block)]) return;
    held[static_cast<size_t>(block)] = true;
    most = std::max(most, ++count);
  };
  for (int forward = 0; forward < 2; ++forward) {
    for (int block = 0; block < layers; ++block) {
      if (block == 0) {
        for (int i = 0; i < std::min(prefetch, layers); ++i) fetch(i);
      }
      fetch(block);
      if (block % prefetch == 0) {
        for (int i = 0; i < prefetch; ++i) fetch((block + prefetch + i) % layers);
      }
      if (held[static_cast<size_t>(block)]) {
        held[static_cast<size_t>(block)] = false;
        --count;
      }
    }
  }
  // Before its first forward the other expert holds its leading blocks; after its last, what it fetched ahead.
  const int idle = experts > 1 ? std::max(count, std::min(prefetch, layers)) : 0;
  return most + idle;
}

int64_t ActivationBytes::total() const {
  return 2 * hidden + wide + begun + 3 * parts + 4 * gathered + ring + text + latents + modulation + rotary;
}

ActivationBytes activation_bytes(const MemoryRequest& request, const ParallelPlan& plan) {
  const ModelConfig& c = request.config;
  const int64_t t = request.bytes_per_value;
  const int64_t rows = plan.tokens_per_rank;
  const int64_t dim = c.dim();
  const int64_t most_heads = plan.heads_per_ulysses_rank.empty() ? c.heads : plan.heads_per_ulysses_rank.front();
  const int64_t gathered_values = rows * plan.ulysses * most_heads * c.head_dim;

  ActivationBytes bytes;
  bytes.hidden = align_up(rows * dim * t);
  bytes.wide = align_up(rows * std::max<int64_t>(3 * dim, c.ffn_dim) * t);
  if (request.guided && plan.cfg == 1) bytes.begun = bytes.hidden;
  if (plan.sequence_ranks() > 1) bytes.parts = align_up(rows * dim * t);
  if (plan.ulysses > 1) bytes.gathered = align_up(gathered_values * t);
  if (plan.ring > 1) {
    const int64_t lse = align_up(rows * plan.ulysses * most_heads * 4);
    bytes.ring = 3 * align_up(gathered_values * t) + align_up(gathered_values * 4) + 2 * lse;
  }
  const int64_t text = request.text_tokens;
  bytes.text = 2 * align_up(text * c.text_dim * t) + 3 * align_up(text * dim * t) + align_up(text * 2 * dim * t);
  const int64_t values = rows * c.patch_values();
  bytes.latents = 3 * align_up(values * t) + 5 * align_up(values * 4);
  bytes.modulation =
      align_up(int64_t{c.freq_dim} * 4) + 4 * align_up(dim * 4) + 3 * align_up(6 * dim * 4) + align_up(2 * dim * 4);
  bytes.rotary = align_up(rows * c.head_dim * 4);
  return bytes;
}

MemoryEstimate estimate_memory(const MemoryRequest& request, const ParallelPlan& plan) {
  const int64_t t = request.bytes_per_value;
  const int64_t block = block_parameters(request.config) * t;
  const int64_t other = other_parameters(request.config) * t;
  const int experts = request.two_experts ? 2 : 1;
  const int64_t expert = block * request.config.layers + other;

  MemoryEstimate estimate;
  estimate.device_activations = activation_bytes(request, plan).total();
  switch (request.offload) {
    case OffloadMode::resident:
      estimate.device_weights = experts * expert;
      break;
    case OffloadMode::swap:
      estimate.device_weights = expert;
      estimate.host_weights = experts * expert;
      break;
    case OffloadMode::layerwise: {
      const int ahead = prefetch_blocks(request.prefetch, request.config.layers);
      estimate.device_weights = layerwise_slots(request.config.layers, ahead, experts) * block + experts * other;
      estimate.host_weights = int64_t{experts} * request.config.layers * block;
      break;
    }
  }
  return estimate;
}

}  // namespace wansweep
