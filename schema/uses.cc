#include "schema/uses.h"

namespace wansweep {

std::vector<int8_t> forwards_of_rank(bool guided, const ParallelPlan& plan, int rank) {
  if (!guided) return {forward_cond};
  if (plan.cfg == 1) return {forward_cond, forward_uncond};
  return {place_of(plan, rank).cfg_index == 0 ? forward_cond : forward_uncond};
}

int expert_of_step(const LoopShape& shape, int step) { return shape.switch_step && step >= *shape.switch_step ? 1 : 0; }

int experts_used(const LoopShape& shape) {
  return expert_of_step(shape, 1) == expert_of_step(shape, shape.steps) ? 1 : 2;
}

std::vector<int8_t> passes_of_step(const LoopShape& shape) {
  const bool together = shape.order == GuidanceOrder::block && shape.forwards.size() > 1;
  return together ? std::vector<int8_t>{forward_both} : shape.forwards;
}

std::vector<Use> list_uses(const LoopShape& shape) {
  const std::vector<int8_t> passes = passes_of_step(shape);
  std::vector<Use> uses;
  uses.reserve(static_cast<size_t>(shape.steps) * passes.size() * static_cast<size_t>(shape.layers));
  for (int step = 1; step <= shape.steps; ++step) {
    const auto expert = static_cast<int8_t>(expert_of_step(shape, step));
    for (const int8_t forward : passes) {
      for (int block = 0; block < shape.layers; ++block) {
        uses.push_back({step, expert, forward, static_cast<int16_t>(block)});
      }
    }
  }
  return uses;
}

}  // namespace wansweep
