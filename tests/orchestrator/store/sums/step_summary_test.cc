#include "orchestrator/store/sums/step_summary.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

EventRow event(int step, EventKind kind, int64_t start, int64_t end, int64_t bytes = 0) {
  EventRow row;
  row.step = step;
  row.kind = kind;
  row.start_ns = start;
  row.end_ns = end;
  row.bytes = bytes;
  return row;
}

TEST(StepSummary, ExposedIsTheUnionOfCopiesOutsideOfComputeOfAnyStep) {
  // Copies of step 1 cover [0, 40) and [30, 60), together [0, 60). Compute covers [10, 20), and [50, 55) as part of
  // step 2.
  const auto sums = summarize_steps({event(1, EventKind::h2d, 0, 40, 7), event(1, EventKind::d2h, 30, 60, 5),
                                     event(1, EventKind::compute, 10, 20), event(2, EventKind::attention, 50, 55)});
  EXPECT_EQ(sums.at(1).exposed_transfer, 60 - 10 - 5);
  EXPECT_EQ(sums.at(1).h2d_bytes, 7);
  EXPECT_EQ(sums.at(1).d2h, 30);
  EXPECT_EQ(sums.at(2).compute, 5);
  EXPECT_EQ(sums.at(2).exposed_transfer, 0);
}

Traffic traffic_of(const std::vector<EventRow>& events) { return summarize_traffic({{&events, "node1"}})[0]; }

TEST(StepSummary, TrafficIsKeptApartByWhatRanBeside) {
  const Traffic sums = traffic_of({event(3, EventKind::h2d, 0, 10, 1), event(3, EventKind::h2d, 10, 20, 2),
                                   event(3, EventKind::h2d, 20, 30, 4), event(3, EventKind::all_to_all, 16, 28, 8),
                                   event(3, EventKind::compute, 5, 15)});
  const TrafficSum& alone = sums.at({3, EventKind::h2d, TimeBeside::nothing, TimeBeside::nothing});
  EXPECT_EQ(alone.bytes, 1);
  EXPECT_EQ(alone.hidden, 5);
  const TrafficSum& part = sums.at({3, EventKind::h2d, TimeBeside::part, TimeBeside::nothing});
  EXPECT_EQ(part.bytes, 2);
  EXPECT_EQ(part.with_all_to_all, 4);
  const TrafficSum& most = sums.at({3, EventKind::h2d, TimeBeside::most, TimeBeside::nothing});
  EXPECT_EQ(most.bytes, 4);
  EXPECT_EQ(most.with_all_to_all, 8);
  EXPECT_EQ(most.with_h2d, 0);
  const TrafficSum& exchange = sums.at({3, EventKind::all_to_all, TimeBeside::most, TimeBeside::nothing});
  EXPECT_EQ(exchange.with_h2d, 12);
  EXPECT_EQ(exchange.duration, 12);
  EXPECT_EQ(sums.size(), 4u);
}

TEST(StepSummary, ACopyThatOnlyTouchesAnExchangeCountsAsAlone) {
  const Traffic sums = traffic_of({event(1, EventKind::d2h, 0, 10), event(1, EventKind::ring, 10, 20)});
  EXPECT_EQ(sums.at({1, EventKind::d2h, TimeBeside::nothing, TimeBeside::nothing}).events, 1);
  EXPECT_EQ(sums.at({1, EventKind::ring, TimeBeside::nothing, TimeBeside::nothing}).events, 1);
}

TEST(StepSummary, APeerIsARankOfTheSameHostAndAtTheSameTime) {
  const std::vector<EventRow> copy{event(1, EventKind::h2d, 0, 10, 5)};
  const std::vector<EventRow> exchange{event(1, EventKind::all_to_all, 4, 20, 7), event(1, EventKind::h2d, 8, 30, 3)};
  const auto traffic =
      summarize_traffic({{&copy, "node1"}, {&exchange, "node1"}, {&copy, "node2"}, {&copy, ""}, {&exchange, ""}});
  const TrafficSum& beside_peer = traffic[0].at({1, EventKind::h2d, TimeBeside::nothing, TimeBeside::most});
  EXPECT_EQ(beside_peer.bytes, 5);
  EXPECT_EQ(beside_peer.with_all_to_all, 0);
  EXPECT_EQ(beside_peer.with_peers_same, 2);
  EXPECT_EQ(traffic[0].size(), 1u);
  // The exchange lasts 16, and the other rank copies during 6 of them.
  EXPECT_EQ(traffic[1].at({1, EventKind::all_to_all, TimeBeside::most, TimeBeside::part}).bytes, 7);
  for (const size_t alone : {size_t{2}, size_t{3}}) {
    EXPECT_EQ(traffic[alone].at({1, EventKind::h2d, TimeBeside::nothing, TimeBeside::nothing}).with_peers_same, 0)
        << alone;
  }
}

}  // namespace
}  // namespace wansweep
