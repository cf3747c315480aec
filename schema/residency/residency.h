// Which blocks stay in a device's slots, which are copied again, when each copy starts, and which slot it takes:
// computed once, for all uses of a loop.
//
// The loop is a sequence of phases; a phase goes `passes` times through `blocks` blocks of its own, in order. Uses are
// counted through all phases. A copy is made by a prefetcher, and so takes its slot before the block is used: `depth`
// says how early at the latest, in uses. With depth 2, the blocks of this use and of the next two are there or on the
// way, and slots - 3 slots are left for blocks that wait for a later use. (Depth 0 is paging by demand: Belady's MIN.)
//
// No schedule with these slots and this depth makes fewer copies. Of the many schedules with that number, the one is
// chosen that spreads its copies evenly over time (residency.cc).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schema/residency/pace.h"

namespace wansweep {

struct Phase {
  int32_t blocks = 0;
  int32_t passes = 0;
};

struct BlockCopy {
  int32_t slot = 0;
  int32_t starts = 0;  // the use with which the copy may start: its slot is free then; -1: before the loop
  int32_t needed = 0;  // the first use that needs the copied block
};

struct Residency {
  int slots = 0;  // the number of slots that are used, at most the number of blocks
  int depth = 0;
  std::vector<int32_t> slot_of_use;
  std::vector<BlockCopy> copies;  // in the order of their uses, which is also that of their starts
  LinkRate peak;                  // the least link rate at which all copies within the loop arrive in time
};

// The largest depth that plan_residency tries: a larger one takes slots from blocks that could stay.
inline constexpr int most_depth = 4;

// `slots` at least 1, `depth` at least 0 and below slots and below each phase's blocks.
Residency plan_residency(std::span<const Phase> phases, int slots, int depth);

// The same with the depth, from 1 to most_depth, that waits least. With room for a phase's blocks that is the one which
// needs the least link rate; of equals, the one with the fewest copies. With less room a slow link wants few copies and
// a fast one early starts, and the plan does not know which it gets: the depth whose loop, on any of a range of links,
// takes the least more than with the best depth for that link. At the rate `peak` and above, nothing waits. On slower
// links no depth is always best: against a search of all ways to copy, tests/orchestrator/predict has by how much at
// most.
Residency plan_residency(std::span<const Phase> phases, int slots);

}  // namespace wansweep
