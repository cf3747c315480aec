// Proves what the plan promises: the number of copies, by a search of all schedules where there are few enough, by
// Belady's rule where there are more, and by a closed form at the shape of A14B.
#include "schema/residency/residency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <set>

namespace wansweep {
namespace {

using Phases = std::vector<Phase>;

struct BlockUse {
  int block = 0;     // number of the block, counted through all phases
  int next_use = 0;  // -1: none
};

std::vector<BlockUse> uses_of(const Phases& phases) {
  std::vector<BlockUse> uses;
  int first_block = 0;
  for (const Phase& phase : phases) {
    for (int i = 0; i < phase.passes * phase.blocks; ++i) {
      const bool last = i >= (phase.passes - 1) * phase.blocks;
      uses.push_back({first_block + i % phase.blocks, last ? -1 : static_cast<int>(uses.size()) + phase.blocks});
    }
    first_block += phase.blocks;
  }
  return uses;
}

// The fewest copies of any schedule, found by a search through all sets of blocks that may be on the device or on the
// way when a use starts. Each set must hold the blocks of that use and of the next `depth` uses; each block that enters
// a set is copied.
int fewest_by_search(const Phases& phases, int slots, int depth) {
  const std::vector<BlockUse> uses = uses_of(phases);
  int blocks = 0;
  for (const Phase& phase : phases) blocks += phase.blocks;
  std::map<uint32_t, int> reached{{0, 0}};
  for (size_t i = 0; i < uses.size(); ++i) {
    uint32_t window = 0;
    for (size_t ahead = i; ahead < std::min(uses.size(), i + static_cast<size_t>(depth) + 1); ++ahead) {
      window |= 1U << uses[ahead].block;
    }
    std::map<uint32_t, int> next;
    for (uint32_t set = 0; set < 1U << blocks; ++set) {
      if ((set & window) != window || std::popcount(set) > slots) continue;
      for (const auto& [before, copies] : reached) {
        const int with = copies + std::popcount(set & ~before);
        const auto [found, is_new] = next.emplace(set, with);
        if (!is_new) found->second = std::min(found->second, with);
      }
    }
    reached = std::move(next);
  }
  int fewest = std::numeric_limits<int>::max();
  for (const auto& [set, copies] : reached) fewest = std::min(fewest, copies);
  return fewest;
}

// The fewest copies by Belady's rule: go through the uses and keep every block that is used again; where slots run out,
// drop the block whose next use is furthest.
int fewest_by_rule(const Phases& phases, int slots, int depth) {
  const std::vector<BlockUse> uses = uses_of(phases);
  const int count = static_cast<int>(uses.size());
  std::multiset<int> kept;  // last time at which each kept block takes a slot
  int saved = 0;
  for (int now = 0; now < count; ++now) {
    if (now > 0 && uses[static_cast<size_t>(now - 1)].next_use >= 0) {
      kept.insert(uses[static_cast<size_t>(now - 1)].next_use - depth - 1);
    }
    while (!kept.empty() && *kept.begin() < now) {
      kept.erase(kept.begin());
      ++saved;
    }
    const int window = std::min(depth + 1, count - now);
    while (static_cast<int>(kept.size()) > slots - window) kept.erase(std::prev(kept.end()));
  }
  return count - saved - static_cast<int>(kept.size());
}

// Every use finds its block, and every copy has a slot that nobody needs from its start on, `depth` uses ahead.
void expect_serves(const Phases& phases, const Residency& plan) {
  const std::vector<BlockUse> uses = uses_of(phases);
  std::vector<int> content(static_cast<size_t>(plan.slots), -1);
  size_t next = 0;
  ASSERT_EQ(plan.slot_of_use.size(), uses.size());
  for (int now = -1; now < static_cast<int>(uses.size()); ++now) {
    for (; next < plan.copies.size() && plan.copies[next].starts <= now; ++next) {
      const BlockCopy& copy = plan.copies[next];
      ASSERT_TRUE(copy.starts == -1 || copy.starts == now) << "in the order of their starts";
      ASSERT_LE(copy.starts, std::max(-1, copy.needed - plan.depth));
      ASSERT_LT(copy.slot, plan.slots);
      content[static_cast<size_t>(copy.slot)] = uses[static_cast<size_t>(copy.needed)].block;
    }
    if (now < 0) continue;
    const auto slot = static_cast<size_t>(plan.slot_of_use[static_cast<size_t>(now)]);
    ASSERT_EQ(content[slot], uses[static_cast<size_t>(now)].block) << "use " << now;
  }
  ASSERT_EQ(next, plan.copies.size());
}

std::vector<Phases> small_loops(int most_blocks, int most_passes) {
  std::vector<Phases> loops;
  for (int blocks = 1; blocks <= most_blocks; ++blocks) {
    for (int first = 1; first <= most_passes; ++first) {
      loops.push_back({{blocks, first}});
      for (int second = 1; second <= most_passes; ++second) loops.push_back({{blocks, first}, {blocks, second}});
    }
  }
  return loops;
}

std::string name_of(const Phases& phases, int slots, int depth) {
  std::string name = std::to_string(slots) + " slots, depth " + std::to_string(depth);
  for (const Phase& p : phases) name += ", " + std::to_string(p.passes) + " passes of " + std::to_string(p.blocks);
  return name;
}

TEST(Residency, NoScheduleOfItsSlotsAndDepthHasFewerCopies) {
  int cases = 0;
  for (const Phases& phases : small_loops(4, 3)) {
    const int blocks = phases.front().blocks;
    for (int depth = 0; depth < blocks; ++depth) {
      for (int slots = depth + 1; slots <= 2 * blocks; ++slots) {
        const Residency plan = plan_residency(phases, slots, depth);
        ASSERT_EQ(static_cast<int>(plan.copies.size()), fewest_by_search(phases, slots, depth))
            << name_of(phases, slots, depth);
        ++cases;
      }
    }
  }
  EXPECT_EQ(cases, 12 * (2 + 7 + 15 + 26));
}

TEST(Residency, MakesAsFewCopiesAsBeladysRuleOnLargerLoops) {
  for (const Phases& phases : small_loops(11, 5)) {
    const int blocks = phases.front().blocks;
    for (int depth = 0; depth < std::min(blocks, 5); ++depth) {
      for (int slots = depth + 1; slots <= 2 * blocks; ++slots) {
        const Residency plan = plan_residency(phases, slots, depth);
        ASSERT_EQ(static_cast<int>(plan.copies.size()), fewest_by_rule(phases, slots, depth))
            << name_of(phases, slots, depth);
      }
    }
  }
}

TEST(Residency, BeladysRuleIsTheOptimumThatTheSearchFinds) {
  for (const Phases& phases : small_loops(3, 3)) {
    for (int slots = 2; slots <= 2 * phases.front().blocks; ++slots) {
      const int depth = std::min(1, phases.front().blocks - 1);
      ASSERT_EQ(fewest_by_rule(phases, slots, depth), fewest_by_search(phases, slots, depth));
    }
  }
}

TEST(Residency, ServesEveryUseAndStartsNoCopyLaterThanItsDepth) {
  for (const Phases& phases : small_loops(9, 4)) {
    const int blocks = phases.front().blocks;
    for (int slots = 1; slots <= 2 * blocks + 1; ++slots) {
      for (int depth = 0; depth < std::min(slots, blocks); ++depth) {
        SCOPED_TRACE(name_of(phases, slots, depth));
        expect_serves(phases, plan_residency(phases, slots, depth));
      }
      expect_serves(phases, plan_residency(phases, slots));
      if (HasFatalFailure()) return;
    }
  }
}

// A14B in 27 steps: 40 blocks an expert, two passes a step branch by branch and one block by block, the experts switch
// at step 19 or 10.
std::vector<Phases> study_loops() {
  std::vector<Phases> loops;
  for (const int passes : {1, 2}) {
    for (const int switch_step : {19, 10}) {
      loops.push_back({{40, passes * (switch_step - 1)}, {40, passes * (28 - switch_step)}});
    }
  }
  return loops;
}

// In a phase of n passes, intervals of one length (39 - depth) begin with every use except those of the last pass. Each
// spare slot holds one interval after the other, from its own first use (0, 1, 2, ...) on.
int64_t closed_form(const Phases& phases, int slots, int depth) {
  int64_t copies = 0;
  for (const Phase& phase : phases) {
    const int64_t begin = (phase.passes - 1) * 40, length = 39 - depth;
    copies += int64_t{phase.passes} * 40;
    for (int64_t first = 0; first < std::min<int64_t>(slots - depth - 1, length); ++first) {
      copies -= (begin - first + length - 1) / length;
    }
  }
  return copies;
}

TEST(Residency, AtTheStudysShapeTheCopiesAreThoseOfTheClosedForm) {
  for (const Phases& phases : study_loops()) {
    for (const int slots : {2, 3, 5, 10, 20, 30, 39, 40, 42, 60, 79, 80}) {
      for (int depth = 1; depth <= std::min(most_depth, slots - 1); ++depth) {
        const Residency plan = plan_residency(phases, slots, depth);
        const auto copies = static_cast<int64_t>(plan.copies.size());
        EXPECT_EQ(copies, closed_form(phases, slots, depth)) << name_of(phases, slots, depth);
        EXPECT_EQ(copies, fewest_by_rule(phases, slots, depth)) << name_of(phases, slots, depth);
        expect_serves(phases, plan);
      }
    }
  }
}

TEST(Residency, WithRoomForOneExpertNothingMovesButTheOtherOneAtTheSwitch) {
  for (const Phases& phases : study_loops()) {
    for (const int slots : {40, 42}) {
      const Residency plan = plan_residency(phases, slots);
      EXPECT_EQ(plan.copies.size(), 80U);
      const int switch_use = phases[0].passes * 40;
      for (const BlockCopy& copy : plan.copies) {
        if (copy.starts < 0) continue;
        EXPECT_GE(copy.starts, switch_use - 40) << "behind the last pass of the old expert";
        EXPECT_LT(copy.starts, switch_use + 40);
      }
      EXPECT_LT(plan.peak.copies_per_use(), 0.52) << "an expert in the time of two passes";
    }
  }
}

TEST(Residency, WithRoomForAllNothingMovesInTheLoop) {
  for (const Phases& phases : study_loops()) {
    const Residency plan = plan_residency(phases, 80);
    EXPECT_EQ(plan.copies.size(), 80U);
    for (const BlockCopy& copy : plan.copies) EXPECT_EQ(copy.starts, -1);
    EXPECT_EQ(plan.peak.copies, 0);
  }
}

// With less room than an expert, a deeper prefetch takes slots from blocks that stay: at the study's 5 GiB (7 blocks),
// the depth with the least link rate, 4, copied 1020 blocks where 968 are enough.
TEST(Residency, BelowOneExpertsRoomTheNumberOfCopiesCountsBesideTheLinkRate) {
  const Phases a14b{{40, 18}, {40, 9}};
  const Residency plan = plan_residency(a14b, 7);
  EXPECT_EQ(plan.depth, 2);
  EXPECT_EQ(plan.copies.size(), 968U);
  EXPECT_LT(plan.peak.copies_per_use(), 0.97);
}

// Copies are spread evenly: any stretch of uses has about as many copies as its share of a pass, and never two at once.
TEST(Residency, CopiesAreSpreadEvenlyOverAPass) {
  for (const Phases& phases : study_loops()) {
    const Residency plan = plan_residency(phases, 20);
    EXPECT_LE(plan.peak.copies_per_use(), 0.80) << name_of(phases, 20, plan.depth);
    std::vector<int> started(plan.slot_of_use.size());
    for (const BlockCopy& copy : plan.copies) {
      if (copy.starts >= 0) ++started[static_cast<size_t>(copy.starts)];
    }
    EXPECT_EQ(*std::max_element(started.begin(), started.end()), 1);
  }
}

}  // namespace
}  // namespace wansweep
