// Which blocks stay in a device's slots, which are brought again, when each copy starts, and which slot it takes:
// worked out once, for the uses of a whole loop.
//
// The loop is a sequence of phases; a phase goes `passes` times through `blocks` blocks of its own, in order. Uses are
// counted through all phases. A copy is made by a prefetcher, and so takes its slot before the block is used: `depth`
// says how early at the latest, in uses. With depth 2, the blocks of this use and of the next two are there or on the
// way, and slots - 3 slots are left for blocks that wait for a later use. (Depth 0 is paging by demand: Belady's MIN.)
//
// The number of copies is the least that any schedule of these slots and this depth has; which of the many such
// schedules, and when its copies start, is chosen so that they are spread evenly (residency.cc).
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
  int32_t starts = 0;  // with this use, for its slot is free then; -1: before the loop
  int32_t needed = 0;  // the use whose block it brings
};

struct Residency {
  int slots = 0;  // that are used: at most as many as there are blocks
  int depth = 0;
  std::vector<int32_t> slot_of_use;
  std::vector<BlockCopy> copies;  // in the order of their uses, which is also that of their starts
  LinkRate peak;                  // the least rate of a link that brings all copies in the loop in time
};

// The most uses that depth is chosen from: a deeper one takes slots from blocks that could stay.
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
