#include "orchestrator/answers/perfetto.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using nlohmann::json;

EventRow event(EventKind kind, StallCause cause, StreamId stream, int64_t start, int64_t end, int64_t bytes = 0) {
  EventRow row;
  row.step = 1;
  row.kind = kind;
  row.cause = cause;
  row.stream = stream;
  row.start_ns = start;
  row.end_ns = end;
  row.bytes = bytes;
  return row;
}

std::vector<json> of_phase(const json& trace, const std::string& phase) {
  std::vector<json> found;
  for (const json& e : trace["traceEvents"]) {
    if (e["ph"] == phase) found.push_back(e);
  }
  return found;
}

TEST(Perfetto, AnArrowLeadsFromAStallToTheCopyThatEndedIt) {
  Timeline timeline{"run \"x\"", {{2, "node1", {}}}};
  timeline.ranks[0].rows.events = {event(EventKind::h2d, StallCause::none, StreamId::copy, -4000, 1000, 7),
                                   event(EventKind::h2d, StallCause::none, StreamId::copy, 1000, 9000, 8),
                                   event(EventKind::h2d, StallCause::none, StreamId::copy, 9000, 12000, 9),
                                   event(EventKind::stall, StallCause::weights, StreamId::compute, 3000, 9100),
                                   event(EventKind::stall, StallCause::host, StreamId::compute, 9100, 9200)};
  const json trace = json::parse(to_trace_events(timeline));
  EXPECT_EQ(trace["otherData"]["attempt"], "run \"x\"");
  const auto from = of_phase(trace, "s"), to = of_phase(trace, "f");
  ASSERT_EQ(from.size(), 1u);
  ASSERT_EQ(to.size(), 1u);
  EXPECT_EQ(from[0]["id"], to[0]["id"]);
  EXPECT_EQ(from[0]["ts"], 7.0);  // microseconds since the first event
  EXPECT_EQ(to[0]["ts"], 7.0);    // within the second copy, [5, 13)
  EXPECT_NE(from[0]["tid"], to[0]["tid"]);
  const auto slices = of_phase(trace, "X");
  EXPECT_EQ(slices[1]["args"]["bytes"], 8);
  EXPECT_EQ(slices[1]["tid"], to[0]["tid"]);
  EXPECT_EQ(slices[1]["dur"], 8.0);
  EXPECT_EQ(slices[3]["name"], "wait for weights");
}

TEST(Perfetto, AStallForWeightsMayHaveWaitedForPartsOfPeers) {
  Timeline timeline{"run", {{0, "node1", {}}}};
  timeline.ranks[0].rows.events = {event(EventKind::h2d, StallCause::none, StreamId::copy, 0, 4000, 7),
                                   event(EventKind::weight_parts, StallCause::none, StreamId::peers, 4000, 9000, 21),
                                   event(EventKind::stall, StallCause::weights, StreamId::compute, 3000, 9100)};
  const json trace = json::parse(to_trace_events(timeline));
  const auto slices = of_phase(trace, "X"), to = of_phase(trace, "f");
  ASSERT_EQ(to.size(), 1u);
  EXPECT_EQ(slices[1]["name"], "weight_parts");
  EXPECT_EQ(to[0]["tid"], slices[1]["tid"]);
  EXPECT_NE(slices[0]["tid"], slices[1]["tid"]);
}

TEST(Perfetto, ASwitchAndAWaitThatOutlastsItLieOnTracksOfTheirOwn) {
  Timeline timeline{"run", {{0, "node1", {}}}};
  timeline.ranks[0].rows.events = {event(EventKind::switch_experts, StallCause::none, StreamId::compute, 0, 9000, 7),
                                   event(EventKind::stall, StallCause::weights, StreamId::compute, 300, 9100)};
  const auto slices = of_phase(json::parse(to_trace_events(timeline)), "X");
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_NE(slices[0]["tid"], slices[1]["tid"]);
}

class PerfettoTest : public SweepTest {};

TEST_F(PerfettoTest, TracesAndDatabaseGiveTheSameTimeline) {
  const std::string directory = synthetic::write_attempt(sweep_, {.exposed_ms = 30, .skew_ms = 5, .ranks = 3});
  gather_all();
  Store store = open_store_readonly(database_);
  const json from_files = json::parse(to_trace_events(read_timeline(directory)));
  const json from_database = json::parse(to_trace_events(load_timeline(store, text("SELECT name FROM run"))));
  EXPECT_EQ(from_files["traceEvents"], from_database["traceEvents"]);
  EXPECT_EQ(of_phase(from_files, "C").size(), 3u * 27 * 2);
}

TEST_F(PerfettoTest, SlicesOfAThreadNeverOverlap) {
  const std::string directory = synthetic::write_attempt(sweep_, {.exposed_ms = 20, .back_ms = 15});
  std::map<std::pair<int, int>, double> ends;
  for (const json& slice : of_phase(json::parse(to_trace_events(read_timeline(directory))), "X")) {
    double& end = ends[{slice["pid"], slice["tid"]}];
    EXPECT_GE(slice["ts"].get<double>(), end - 0.001) << slice;
    end = slice["ts"].get<double>() + slice["dur"].get<double>();
  }
  EXPECT_EQ(ends.size(), 2u * 5);
}

TEST_F(PerfettoTest, ARunThatIsMissingIsReported) {
  synthetic::write_attempt(sweep_, {});
  gather_all();
  Store store = open_store_readonly(database_);
  EXPECT_THROW(load_timeline(store, "none"), Error);
  EXPECT_THROW(read_timeline(sweep_), Error);
}

}  // namespace
}  // namespace wansweep
