// Measures a block's largest operations one by one, at the sizes that they have on a rank. Their rates serve to predict
// blocks of shapes that were not measured.

#include <array>
#include <utility>

#include "worker/probe/bench.h"

namespace wansweep {

namespace {

struct Product {
  int64_t n = 0, k = 0;
  const std::byte* x = nullptr;
  int64_t weights = 0, bias = 0;  // offsets in the block's weights, in bytes
  std::byte* y = nullptr;
};

void measure_product(Bench& bench, const Product& product, double seconds) {
  const Workspace& w = bench.workspace;
  const int64_t m = bench.run.parallel.tokens_per_rank;
  const auto enqueue = [&] {
    const std::byte* block = bench.next_block();
    bench.device.ops().linear({.type = w.type,
                               .x = product.x,
                               .w = {block + product.weights, w.type},
                               .bias = {block + product.bias, w.type},
                               .y = product.y,
                               .m = m,
                               .n = product.n,
                               .k = product.k});
  };
  ProbeSample sample{.what = ProbeWhat::product, .ranks = bench.world.ranks()};
  sample.operations = 2.0 * static_cast<double>(m) * static_cast<double>(product.n) * static_cast<double>(product.k);
  sample.sizes = {m, product.n, product.k};
  bench.add_of_shape(std::move(sample), bench.timer.repeat({StreamId::compute, enqueue}, seconds));
}

// Attention as ShardedAttention calls it for all heads of rank 0 at once and the keys of the ring's first member.
void measure_attention(Bench& bench, double seconds) {
  const Workspace& w = bench.workspace;
  const ParallelPlan& plan = bench.run.parallel;
  const int head_dim = bench.run.model.config.head_dim;
  const int heads = plan.heads_per_ulysses_rank.front();
  const int64_t dim = int64_t{heads} * head_dim;
  const int64_t rows = plan.tokens_per_rank * plan.ulysses;
  const int64_t keys = valid_tokens_of_ring_member(plan, 0);
  AttentionArguments attention;
  attention.type = w.type;
  attention.q_rows = rows;
  attention.kv_rows = keys;
  attention.heads = heads;
  attention.head_dim = head_dim;
  if (plan.sequence_ranks() == 1) {
    const int64_t step = dim * size_of(w.type);
    attention.q = {w.wide, 3 * dim};
    attention.k = {w.wide + step, 3 * dim};
    attention.v = {w.wide + 2 * step, 3 * dim};
    attention.out = w.normed;
  } else {
    const bool gathered = plan.ulysses > 1;
    attention.q = {gathered ? w.gathered[0] : w.parts[0], dim};
    attention.k = {gathered ? w.gathered[1] : w.parts[1], dim};
    attention.v = {gathered ? w.gathered[2] : w.parts[2], dim};
    attention.out = gathered ? w.gathered[3] : w.normed;
  }
  ProbeSample sample{.what = ProbeWhat::attention, .ranks = bench.world.ranks()};
  sample.sizes = {rows, keys, heads};
  sample.operations = 4.0 * static_cast<double>(rows) * static_cast<double>(keys) * static_cast<double>(dim);
  const auto enqueue = [&] { bench.device.ops().attention(attention); };
  bench.add_of_shape(std::move(sample), bench.timer.repeat({StreamId::compute, enqueue}, seconds));
}

// The gated sum with which every part of a block ends: it reads two matrices and writes one.
void measure_elementwise(Bench& bench, double seconds) {
  const Workspace& w = bench.workspace;
  const int64_t rows = bench.run.parallel.tokens_per_rank, dim = bench.run.model.config.dim();
  const auto enqueue = [&] { bench.device.ops().add_gated(w.type, w.hidden, w.normed, nullptr, rows, dim); };
  ProbeSample sample{.what = ProbeWhat::elementwise, .ranks = bench.world.ranks()};
  sample.bytes = 3 * rows * dim * size_of(w.type);
  bench.add_of_shape(std::move(sample), bench.timer.repeat({StreamId::compute, enqueue}, seconds));
}

}  // namespace

Measurements operation_measurements(Bench& bench) {
  const Workspace& w = bench.workspace;
  const ModelConfig& config = bench.run.model.config;
  const BlockOffsets at = block_offsets(block_layout(config, w.type));
  const int64_t dim = config.dim(), ffn = config.ffn_dim;
  const std::array<Product, 4> products{Product{3 * dim, dim, w.normed, at.attn1_qkv, at.attn1_qkv_bias, w.wide},
                                        {dim, dim, w.normed, at.attn1_out, at.attn1_out_bias, w.wide},
                                        {ffn, dim, w.normed, at.ffn_in, at.ffn_in_bias, w.wide},
                                        {dim, ffn, w.wide, at.ffn_out, at.ffn_out_bias, w.normed}};
  Measurements measurements;
  measurements.push_back({ProbeWhat::attention, 4, [&bench](double seconds) { measure_attention(bench, seconds); }});
  for (const Product& product : products) {
    measurements.push_back(
        {ProbeWhat::product, 2, [&bench, product](double seconds) { measure_product(bench, product, seconds); }});
  }
  measurements.push_back(
      {ProbeWhat::elementwise, 1, [&bench](double seconds) { measure_elementwise(bench, seconds); }});
  return measurements;
}

}  // namespace wansweep
