#include "orchestrator/store/sums/exchange_start.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/store/sums/event_of.h"

namespace wansweep {
namespace {

using Since = std::vector<std::vector<int64_t>>;

TEST(ExchangeStart, DataMovesSinceTheLastRankOfTheGroupHasBegun) {
  // Two Ulysses groups of two ranks. The second group begins later, which does not concern the first.
  HandMadeAttempt attempt;
  attempt.spread = {1, 2, 2};
  for (const int64_t start : {10, 30, 50, 45}) attempt.events.push_back({event_of(EventKind::all_to_all, start, 100)});
  EXPECT_EQ(moving_since(attempt.view()), (Since{{30}, {30}, {50}, {50}}));
}

TEST(ExchangeStart, TheNthExchangeOfAKindInABlockIsTheSameOnAllRanks) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 2, 1};
  attempt.events = {{event_of(EventKind::all_to_all, 0, 20), event_of(EventKind::compute, 20, 30),
                     event_of(EventKind::all_to_all, 30, 60), event_of(EventKind::all_to_all, 70, 90, 0, 2)},
                    {event_of(EventKind::all_to_all, 5, 20), event_of(EventKind::all_to_all, 50, 60),
                     event_of(EventKind::all_to_all, 60, 90, 0, 2)}};
  EXPECT_EQ(moving_since(attempt.view()), (Since{{5, 20, 50, 70}, {5, 50, 70}}));
}

TEST(ExchangeStart, InARingOnlyTheNeighboursCount) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 1, 4};
  for (const int64_t start : {10, 20, 90, 40}) attempt.events.push_back({event_of(EventKind::ring, start, 100)});
  EXPECT_EQ(moving_since(attempt.view()), (Since{{40}, {90}, {90}, {90}}));
}

TEST(ExchangeStart, TheHalvesOfTheGuidanceMeetOutsideOfTheBlocks) {
  HandMadeAttempt attempt;
  attempt.spread = {2, 2, 1};
  for (const int64_t start : {10, 20, 30, 40}) {
    EventRow halves = event_of(EventKind::all_to_all, start, 100);
    halves.block = halves.forward = -1;
    attempt.events.push_back({halves});
  }
  EXPECT_EQ(moving_since(attempt.view()), (Since{{30}, {40}, {30}, {40}}));
}

TEST(ExchangeStart, PartsOfWeightsComeFromTheRanksOfTheHost) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 1, 4};
  attempt.hosts = {"a", "a", "b", ""};
  for (const int64_t start : {10, 20, 90, 40})
    attempt.events.push_back({event_of(EventKind::weight_parts, start, 100)});
  EXPECT_EQ(moving_since(attempt.view()), (Since{{20}, {20}, {90}, {40}}));
}

TEST(ExchangeStart, WhereTheSpreadIsNotKnownAllRanksCount) {
  HandMadeAttempt attempt;
  for (const int64_t start : {10, 20, 30}) attempt.events.push_back({event_of(EventKind::all_to_all, start, 100)});
  EXPECT_EQ(moving_since(attempt.view()), (Since{{30}, {30}, {30}}));
}

TEST(ExchangeStart, LiesWithinTheEventAndDoesNotWaitForAMissingRank) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 2, 1};
  attempt.events = {{event_of(EventKind::all_to_all, 0, 20), event_of(EventKind::all_to_all, 30, 40, 0, 2)},
                    {event_of(EventKind::all_to_all, 25, 50)}};  // by its wrong clock, rank 0's has ended
  EXPECT_EQ(moving_since(attempt.view()), (Since{{20, 30}, {25}}));
}

}  // namespace
}  // namespace wansweep
