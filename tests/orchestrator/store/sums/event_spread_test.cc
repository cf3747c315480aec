#include "orchestrator/store/sums/event_spread.h"

#include <gtest/gtest.h>

#include "orchestrator/store/sums/exchange_start.h"
#include "tests/orchestrator/store/sums/event_of.h"

namespace wansweep {
namespace {

TEST(EventSpread, PercentilesAreTakenOverAllRanksForEachKindAndCause) {
  HandMadeAttempt attempt;
  attempt.events.resize(2);
  for (int i = 1; i <= 200; ++i)
    attempt.events[static_cast<size_t>(i % 2)].push_back(event_of(EventKind::h2d, 0, i, 3));
  attempt.events[0].push_back(stall_of(StallCause::host, 0, 7));
  attempt.events[0].push_back(event_of(EventKind::h2d, 0, 9999, 3, 0));  // before the first step
  const AttemptEvents view = attempt.view();
  const auto spreads = spread_of(view, moving_since(view));
  const EventSpread& copies = spreads.at({EventKind::h2d, StallCause::none, EventPart::whole});
  EXPECT_EQ(copies.events, 200);
  EXPECT_EQ(copies.bytes, 600);
  EXPECT_EQ(copies.total_ns, 200 * 201 / 2);
  EXPECT_EQ(copies.p50_ns, 100);
  EXPECT_EQ(copies.p90_ns, 180);
  EXPECT_EQ(copies.p99_ns, 198);
  EXPECT_EQ(copies.max_ns, 200);
  EXPECT_EQ(spreads.at({EventKind::stall, StallCause::host, EventPart::whole}).max_ns, 7);
}

TEST(EventSpread, AnExchangeIsCutWhereTheLastRankBegan) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 2, 1};
  attempt.events = {{event_of(EventKind::all_to_all, 0, 100, 30)}, {event_of(EventKind::all_to_all, 80, 110, 30)}};
  const AttemptEvents view = attempt.view();
  const auto spreads = spread_of(view, moving_since(view));
  const auto part = [&](EventPart of) { return spreads.at({EventKind::all_to_all, StallCause::none, of}); };
  EXPECT_EQ(part(EventPart::whole).total_ns, 130);
  EXPECT_EQ(part(EventPart::moving).total_ns, 50);
  EXPECT_EQ(part(EventPart::moving).bytes, 60);
  EXPECT_EQ(part(EventPart::waiting).total_ns, 80);
  EXPECT_EQ(part(EventPart::waiting).bytes, 0);
}

TEST(EventSpread, TheLongestAreKeptWithTheirPlace) {
  HandMadeAttempt attempt;
  attempt.events.resize(2);
  for (int i = 0; i < 20; ++i)
    attempt.events[static_cast<size_t>(i % 2)].push_back(event_of(EventKind::d2h, 0, 10 + i));
  const AttemptEvents view = attempt.view();
  const auto all = largest_of(view, moving_since(view));
  const auto& largest = all.at({EventKind::d2h, StallCause::none});
  ASSERT_EQ(largest.size(), largest_kept);
  EXPECT_EQ(largest[0].rank, 1u);
  EXPECT_EQ(largest[0].event, 9u);
  EXPECT_EQ(largest[1].rank, 0u);
  EXPECT_EQ(largest[1].event, 9u);
}

}  // namespace
}  // namespace wansweep
