#include "orchestrator/predict/played_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace wansweep {
namespace {

// Each expert has six blocks. With guidance, each of the six steps has two passes. The experts switch at step 4.
LoopShape loop() {
  LoopShape shape;
  shape.steps = 6;
  shape.switch_step = 4;
  shape.experts = 2;
  shape.layers = 6;
  shape.forwards = {forward_cond, forward_uncond};
  return shape;
}

constexpr WeightBytes weights{100, 0, 6, 2};

std::vector<PlayedStep> play_mode(OffloadMode mode, int slots, double copy_seconds, const LoopShape& shape = loop()) {
  const std::vector<Use> uses = list_uses(shape);
  const Schedule schedule = make_schedule(mode, shape, uses, {.slots = slots});
  PlayRates rates;
  rates.block = {{shape.order == GuidanceOrder::block ? 0.5 : 1}};
  rates.in = rates.out = static_cast<double>(weights.block) / copy_seconds;
  return play(schedule, uses, weights, rates).steps;
}

double total_exposed(const std::vector<PlayedStep>& steps) {
  double exposed = 0;
  for (const PlayedStep& step : steps) exposed += step.exposed;
  return exposed;
}

TEST(PlayedSchedule, ResidentTakesItsComputingAndNothingElse) {
  for (const PlayedStep& step : play_mode(OffloadMode::resident, 0, 100)) {
    EXPECT_EQ(step.seconds, 12);
    EXPECT_EQ(step.exposed, 0);
  }
}

TEST(PlayedSchedule, SwapAndSnapshotWaitForTheirExpertsAtTheSwitchOnly) {
  const std::vector<PlayedStep> swap = play_mode(OffloadMode::swap, 0, 2),
                                snapshot = play_mode(OffloadMode::snapshot, 0, 2);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(swap[i].exposed, i == 3 ? 24 : 0) << i;
    EXPECT_EQ(snapshot[i].exposed, i == 3 ? 12 : 0) << i;
  }
}

TEST(PlayedSchedule, LayerwiseWaitsForEveryCopyThatIsSlowerThanAUse) {
  EXPECT_EQ(total_exposed(play_mode(OffloadMode::layerwise, 0, 1)), 0);
  EXPECT_NEAR(total_exposed(play_mode(OffloadMode::layerwise, 0, 1.5)), 0.5 * 71, 1);
}

// The new expert's six copies can start once the old expert's first block has been used for the last time, which is
// after the first use of its last pass. The last of these copies is needed by the last use of the next pass, ten uses
// later.
TEST(PlayedSchedule, PlannedHidesTheSwitchWhereTheLinkCarriesAnExpertInTwoPasses) {
  EXPECT_NEAR(total_exposed(play_mode(OffloadMode::planned, 6, 10.0 / 6)), 0, 1e-9);
  EXPECT_GT(total_exposed(play_mode(OffloadMode::planned, 6, 2)), 0.5);
  EXPECT_EQ(total_exposed(play_mode(OffloadMode::planned, 7, 2)), 0) << "with room for an expert and a little";
}

TEST(PlayedSchedule, PlannedServesItselfAtTheLeastRateThatItNames) {
  for (const GuidanceOrder order : values_of<GuidanceOrder>()) {
    LoopShape shape = loop();
    shape.order = order;
    const std::vector<Use> uses = list_uses(shape);
    for (int slots = 2; slots <= 12; ++slots) {
      const LinkRate rate = least_link_rate(make_schedule(OffloadMode::planned, shape, uses, {.slots = slots}));
      if (rate.copies == 0) continue;
      const double copy_seconds = 1 / rate.copies_per_use();
      EXPECT_NEAR(total_exposed(play_mode(OffloadMode::planned, slots, copy_seconds, shape)), 0, 1e-9) << slots;
    }
  }
}

// Finds the shortest time that any way of copying allows. It searches, tick by tick, all that a link can do that
// carries one block at a time, with any set of blocks on the device before the loop.
class BestTime {
 public:
  BestTime(std::vector<int> blocks_of_uses, int blocks, int slots, int use_ticks, int copy_ticks)
      : uses_(std::move(blocks_of_uses)), blocks_(blocks), slots_(slots), use_(use_ticks), copy_(copy_ticks) {}

  int ticks() {
    std::set<State> states;
    for (int there = 0; there < 1 << blocks_; ++there) {
      if (std::popcount(static_cast<unsigned>(there)) == slots_) decide({0, 0, there, -1, 0}, states);
    }
    for (int now = 1;; ++now) {
      std::set<State> next;
      for (State state : states) {
        if (state.use_left > 0 && --state.use_left == 0 && ++state.use == static_cast<int>(uses_.size())) return now;
        if (state.copying >= 0 && --state.copy_left == 0) {
          state.there |= 1 << state.copying;
          state.copying = -1;
        }
        decide(state, next);
      }
      states = std::move(next);
    }
  }

 private:
  struct State {
    int use = 0, use_left = 0, there = 0, copying = -1, copy_left = 0;
    auto operator<=>(const State&) const = default;
  };

  // Adds to `into` all states that can follow from what may begin at this instant.
  void decide(State state, std::set<State>& into) const {
    const int block = uses_[static_cast<size_t>(state.use)];
    if (state.use_left == 0 && ((state.there >> block) & 1) != 0) state.use_left = use_;
    into.insert(state);
    if (state.copying >= 0) return;
    const int taken = std::popcount(static_cast<unsigned>(state.there));
    for (int copied = 0; copied < blocks_; ++copied) {
      if (((state.there >> copied) & 1) != 0) continue;
      State begun = state;
      begun.copying = copied;
      begun.copy_left = copy_;
      if (taken < slots_) into.insert(begun);
      for (int given_up = 0; given_up < blocks_ && taken == slots_; ++given_up) {
        if (((state.there >> given_up) & 1) == 0 || (state.use_left > 0 && given_up == block)) continue;
        State with_room = begun;
        with_room.there &= ~(1 << given_up);
        into.insert(with_room);
      }
    }
  }

  std::vector<int> uses_;
  int blocks_, slots_, use_, copy_;
};

TEST(PlayedSchedule, WithRoomForOneExpertNoWayToCopyWaitsLess) {
  LoopShape shape = loop();
  shape.layers = 3;
  shape.forwards = {forward_cond};
  shape.steps = 4;
  shape.switch_step = 3;
  const std::vector<Use> uses = list_uses(shape);
  std::vector<int> blocks;
  for (const Use& use : uses) blocks.push_back(use.expert * 3 + use.block);
  for (const int slots : {3, 4, 5}) {
    for (const int copy_ticks : {1, 2, 3, 4, 5, 6, 9}) {
      constexpr int use_ticks = 2;
      const int best = BestTime(blocks, 6, slots, use_ticks, copy_ticks).ticks();
      const double ours =
          use_ticks * static_cast<double>(uses.size()) +
          use_ticks * total_exposed(play_mode(OffloadMode::planned, slots, copy_ticks / double{use_ticks}, shape));
      EXPECT_DOUBLE_EQ(ours, best) << slots << " slots, a copy of " << copy_ticks << " ticks";
    }
  }
}

// The device has room for less than one expert. When a copy takes no longer than a use, nothing waits. On a slower
// link, no fixed schedule is best for every rate; the test bounds how far the planned schedule is from the best way to
// copy.
TEST(PlayedSchedule, BelowOneExpertsRoomPlannedIsNearTheBestWayToCopy) {
  struct Loop {
    int layers, steps;
    std::optional<int> switch_step;
  };
  double worst_to_double = 1, worst = 1;
  int cases = 0, best_cases = 0;
  for (const Loop& of : {Loop{3, 4, {}}, Loop{4, 3, {}}, Loop{5, 3, {}}, Loop{3, 4, 3}}) {
    LoopShape shape = loop();
    shape.layers = of.layers;
    shape.forwards = {forward_cond};
    shape.steps = of.steps;
    shape.switch_step = of.switch_step;
    shape.experts = of.switch_step ? 2 : 1;
    const std::vector<Use> uses = list_uses(shape);
    std::vector<int> blocks;
    for (const Use& use : uses) blocks.push_back(use.expert * of.layers + use.block);
    for (int slots = 2; slots < of.layers; ++slots) {
      for (const auto& [use_ticks, copy_ticks] : {std::pair{2, 1}, {1, 1}, {2, 3}, {1, 2}, {1, 3}, {1, 4}}) {
        const int best = BestTime(blocks, shape.experts * of.layers, slots, use_ticks, copy_ticks).ticks();
        const double waits = use_ticks * total_exposed(play_mode(OffloadMode::planned, slots,
                                                                 copy_ticks / static_cast<double>(use_ticks), shape));
        const double computes = use_ticks * static_cast<double>(uses.size());
        if (copy_ticks <= use_ticks) {
          EXPECT_EQ(waits, 0) << of.layers << " layers, " << slots << " slots";
        }
        const double factor = (computes + waits) / best;
        EXPECT_GE(factor, 1 - 1e-12);
        worst = std::max(worst, factor);
        if (copy_ticks <= 2 * use_ticks) worst_to_double = std::max(worst_to_double, factor);
        ++cases;
        best_cases += factor < 1 + 1e-12 ? 1 : 0;
      }
    }
  }
  EXPECT_LE(worst_to_double, 1.12) << "a copy takes up to two uses";
  EXPECT_LE(worst, 1.32) << "up to four";
  EXPECT_GE(best_cases, cases * 2 / 3) << "of " << cases;
}

}  // namespace
}  // namespace wansweep
