// The order in which a rank's loop uses blocks of weights. It is known in full before the loop starts; the copies,
// their times and the memory of a run all follow from this list (schema/schedule.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "schema/parallel_plan.h"
#include "schema/setting_values.h"

namespace wansweep {

// One use of a block's weights: the worker's loop acquires and releases the block once.
struct Use {
  int32_t step = 0;    // from 1
  int8_t expert = 0;   // 0: transformer, 1: transformer_2
  int8_t forward = 0;  // 0: cond, 1: uncond, -1: both, one after the other
  int16_t block = 0;
  bool operator==(const Use&) const = default;
};

inline constexpr int8_t forward_cond = 0;
inline constexpr int8_t forward_uncond = 1;
inline constexpr int8_t forward_both = -1;

// The shape of a rank's loop.
struct LoopShape {
  int steps = 0;
  std::optional<int> switch_step;               // the first step of the second expert; unset: there is none
  int experts = 1;                              // number of experts of the model; a run may use only one of two
  int layers = 0;                               // blocks of an expert
  std::vector<int8_t> forwards{forward_cond};   // of each step, in the order in which this rank runs them
  GuidanceOrder order = GuidanceOrder::branch;  // matters only for a rank that runs both forwards
};

// The forwards that `rank` runs in each step: with guidance both, or one of them if cfg_parallel splits the guidance.
std::vector<int8_t> forwards_of_rank(bool guided, const ParallelPlan& plan, int rank);

// Which expert works in `step`: 0 or 1.
int expert_of_step(const LoopShape& shape, int step);

// The number of experts that work in at least one step: 1 or 2.
int experts_used(const LoopShape& shape);

// The passes of a step through all blocks, by their forward: one for each forward, or one for both (forward_both).
std::vector<int8_t> passes_of_step(const LoopShape& shape);

// All uses of a loop: step by step, pass by pass, block by block.
std::vector<Use> list_uses(const LoopShape& shape);

}  // namespace wansweep
