#include "orchestrator/store/sums/operations.h"

namespace wansweep {

Operations operations_of(const ModelConfig& config, const LoopWork& work) {
  const auto n = static_cast<double>(work.tokens);
  const auto m = static_cast<double>(work.text_tokens);
  const auto d = static_cast<double>(config.dim());
  const auto f = static_cast<double>(config.ffn_dim);
  const auto patch = static_cast<double>(config.patch_values());
  const double self_products = 2 * n * d * 3 * d + 2 * n * d * d;
  const double cross_products =
      2 * n * d * d + 2 * m * d * 2 * d * static_cast<double>(work.sequence_ranks) + 2 * n * d * d;
  const double feed_forward = 4 * n * d * f;
  const double embedding = 2 * n * patch * d, projection = 2 * n * d * patch;
  const double self_attention = 4 * n * n * d, cross_attention = 4 * n * m * d;

  const auto steps = static_cast<double>(work.steps);
  const double forwards = steps * (work.guided ? 2 : 1);
  const double shared = work.guided && work.one_rank_makes_both ? steps : 0;  // beginnings that are made once for two
  Operations operations;
  operations.products =
      forwards * (config.layers * (self_products + cross_products + feed_forward) + embedding + projection) -
      shared * (self_products + embedding);
  operations.attention = forwards * config.layers * (self_attention + cross_attention) - shared * self_attention;
  return operations;
}

}  // namespace wansweep
