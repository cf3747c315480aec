// Every mode serves the same uses with the right bytes, within the estimated memory, and with the copies that the mode
// is known for.
#include "worker/offload/streamer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "tests/support/expect_error.h"
#include "worker/device/cpu/cpu_device.h"

namespace wansweep {
namespace {

constexpr int layers = 6;
constexpr WeightBytes streamed_bytes{4096, 1024, layers, 2};

std::byte stamp(int expert, int block) { return static_cast<std::byte>(2 + expert * 100 + block); }

// A source that fills each piece with a stamp of its own.
class Stamped : public WeightSource {
 public:
  void read(int expert, int block, std::byte* to) const override {
    const int64_t size = block == outside_blocks ? streamed_bytes.other : streamed_bytes.block;
    std::memset(to, static_cast<int>(stamp(expert, block)), static_cast<size_t>(size));
  }
};

// Four steps of two forwards, with the switch before the third.
LoopShape loop() {
  LoopShape shape;
  shape.steps = 4;
  shape.switch_step = 3;
  shape.experts = 2;
  shape.layers = layers;
  shape.forwards = {forward_cond, forward_uncond};
  return shape;
}

OffloadPlan plan_of(OffloadMode mode, const LoopShape& shape, const ScheduleOptions& options) {
  OffloadPlan plan;
  plan.uses = list_uses(shape);
  plan.schedule = make_schedule(mode, shape, plan.uses, options);
  plan.bytes = streamed_bytes;
  return plan;
}

OffloadPlan plan_of(OffloadMode mode, int prefetch = 1) { return plan_of(mode, loop(), {.prefetch = prefetch}); }

struct Played {
  int64_t wrong_bytes = 0;
  MemoryUse before_loop, after_loop;
  std::vector<EventRow> events;
};

// Plays the loop, and checks every byte on the compute stream.
Played play(const OffloadPlan& plan) {
  const std::string trace = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5";
  std::filesystem::remove(trace);
  auto device = open_cpu_device({.memory_bytes = 1 << 20, .link = std::make_shared<Link>(100e6, 100e6, nullptr)});
  Played played;
  {
    TraceWriter writer(trace, "{}", "{}");
    Recorder recorder(*device, &writer, TraceDetail::block);
    const auto look = [&](const std::byte* weights, int64_t size, std::byte want) {
      device->enqueue(StreamId::compute, [&played, weights, size, want] {
        for (int64_t i = 0; i < size; ++i) played.wrong_bytes += weights[i] != want;
      });
    };
    Streamer streamer(*device, recorder, plan, load_host_store(*device, plan, Stamped()));
    streamer.load(Stamped());
    played.before_loop = device->memory_use();
    int step = 0;
    for (const Use& use : plan.uses) {
      if (use.step != step) {
        if (step > 0) recorder.end_step();
        step = use.step;
        recorder.begin_step(step, use.expert, 1000 - step, 0.5F);
      }
      if (use.block == 0) look(streamer.other(use.expert), streamed_bytes.other, stamp(use.expert, outside_blocks));
      look(streamer.acquire(use), streamed_bytes.block, stamp(use.expert, use.block));
      streamer.release(use);
    }
    recorder.end_step();
    recorder.finish({});
    played.after_loop = device->memory_use();
  }
  played.events = read_trace(trace).rows.events;
  std::filesystem::remove(trace);
  return played;
}

Played play(OffloadMode mode, int prefetch = 1) { return play(plan_of(mode, prefetch)); }

int64_t bytes_of(const Played& played, EventKind kind, int step) {
  int64_t moved = 0;
  for (const EventRow& row : played.events) moved += row.kind == kind && row.step == step ? row.bytes : 0;
  return moved;
}

// The experts and blocks that `step` copied to the device, by the rows of the trace.
std::set<std::pair<int, int>> copied(const Played& played, int step) {
  std::set<std::pair<int, int>> pieces;
  for (const EventRow& row : played.events) {
    if (row.kind == EventKind::h2d && row.step == step) pieces.insert({row.expert, row.block});
  }
  return pieces;
}

TEST(Streamer, ServesTheRightBytesInEveryMode) {
  for (const OffloadMode mode : values_of<OffloadMode>()) EXPECT_EQ(play(mode).wrong_bytes, 0) << name_of(mode);
  for (const int prefetch : {2, 3, 4, 5}) EXPECT_EQ(play(OffloadMode::layerwise, prefetch).wrong_bytes, 0) << prefetch;
}

TEST(Streamer, TakesTheMemoryThatWasEstimatedToTheByte) {
  for (const OffloadMode mode : values_of<OffloadMode>()) {
    const MemoryEstimate estimate = estimate_memory(streamed_bytes, plan_of(mode).schedule, {});
    const Played played = play(mode);
    EXPECT_EQ(played.after_loop.device_peak, estimate.device_weights) << name_of(mode);
    EXPECT_EQ(played.after_loop.host_peak, estimate.host_total()) << name_of(mode);
  }
}

TEST(Streamer, KeepsNothingOnTheHostForResidentWeights) {
  const Played played = play(OffloadMode::resident);
  EXPECT_EQ(played.before_loop.host_used, 0);
  EXPECT_EQ(played.before_loop.host_peak, 2 * streamed_bytes.block)
      << "two buffers while it loads, and no copy of an expert";
}

TEST(Streamer, LoadsBeforeTheLoopInEveryModeWithARowForEachPiece) {
  const std::map<OffloadMode, int64_t> first_load{
      {OffloadMode::resident, 2 * streamed_bytes.expert()},
      {OffloadMode::swap, streamed_bytes.expert()},
      {OffloadMode::layerwise, 2 * (streamed_bytes.block + streamed_bytes.other)},
      {OffloadMode::snapshot, streamed_bytes.expert()},
      {OffloadMode::planned, 2 * (streamed_bytes.block + streamed_bytes.other)}};
  for (const OffloadMode mode : values_of<OffloadMode>()) {
    const Played played = play(mode);
    EXPECT_EQ(bytes_of(played, EventKind::h2d, 0), first_load.at(mode)) << name_of(mode);
    for (const EventRow& row : played.events) {
      if (row.step > 0) continue;
      EXPECT_EQ(row.kind, EventKind::h2d) << name_of(mode);
      EXPECT_EQ(row.bytes, row.block == outside_blocks ? streamed_bytes.other : streamed_bytes.block) << name_of(mode);
    }
  }
  EXPECT_EQ(copied(play(OffloadMode::layerwise, 2), 0),
            (std::set<std::pair<int, int>>{{1, -1}, {1, 0}, {1, 1}, {2, -1}, {2, 0}, {2, 1}}));
}

TEST(Streamer, MovesNothingInTheLoopWhenWeightsAreResident) {
  const Played played = play(OffloadMode::resident);
  for (int step = 1; step <= 4; ++step) EXPECT_EQ(bytes_of(played, EventKind::h2d, step), 0);
}

TEST(Streamer, SwapsBothExpertsAtTheSwitchOnly) {
  const Played played = play(OffloadMode::swap);
  for (const int step : {1, 2, 4}) {
    EXPECT_EQ(bytes_of(played, EventKind::h2d, step), 0) << step;
    EXPECT_EQ(bytes_of(played, EventKind::d2h, step), 0) << step;
  }
  EXPECT_EQ(bytes_of(played, EventKind::h2d, 3), streamed_bytes.expert());
  EXPECT_EQ(bytes_of(played, EventKind::d2h, 3), streamed_bytes.expert());
  EXPECT_EQ(bytes_of(played, EventKind::switch_experts, 3), 2 * streamed_bytes.expert());
  EventRow out, in, whole;
  for (const EventRow& row : played.events) {
    if (row.step != 3) continue;
    if (row.kind == EventKind::d2h) out = row;
    if (row.kind == EventKind::h2d) in = row;
    if (row.kind == EventKind::switch_experts) whole = row;
  }
  EXPECT_EQ(out.expert, 1);
  EXPECT_EQ(in.expert, 2);
  EXPECT_LE(out.end_ns, in.start_ns) << "one behind the other";
  EXPECT_LE(whole.start_ns, out.start_ns);
  EXPECT_GE(whole.end_ns, in.end_ns);
}

TEST(Streamer, StreamsEveryBlockOnceAForwardWhenLayerwise) {
  const Played played = play(OffloadMode::layerwise);
  for (int step = 1; step <= 4; ++step) {
    EXPECT_EQ(bytes_of(played, EventKind::h2d, step), 2 * layers * streamed_bytes.block) << step;
  }
}

TEST(Streamer, MovesWhatWasPlannedWithAnyBudgetInEitherOrderOfTheGuidance) {
  for (const GuidanceOrder order : values_of<GuidanceOrder>()) {
    for (const int slots : {2, 3, 4, 6, 7, 12}) {
      LoopShape shape = loop();
      shape.order = order;
      const OffloadPlan plan = plan_of(OffloadMode::planned, shape, {.slots = slots});
      const Played played = play(plan);
      EXPECT_EQ(played.wrong_bytes, 0) << name_of(order) << ", " << slots << " slots";
      EXPECT_EQ(played.after_loop.device_peak, slots * streamed_bytes.block + 2 * streamed_bytes.other);
      const std::vector<int64_t> moved = moved_by_step(streamed_bytes, plan.schedule, plan.uses);
      for (int step = 0; step <= 4; ++step) {
        EXPECT_EQ(bytes_of(played, EventKind::h2d, step), moved[static_cast<size_t>(step)])
            << name_of(order) << ", " << slots << " slots, step " << step;
        EXPECT_EQ(bytes_of(played, EventKind::d2h, step), 0);
      }
    }
  }
}

TEST(Streamer, BringsTheOtherExpertInAtTheSwitchAndNothingOutWithSnapshots) {
  const Played played = play(OffloadMode::snapshot);
  EXPECT_EQ(bytes_of(played, EventKind::h2d, 3), streamed_bytes.expert());
  EXPECT_EQ(bytes_of(played, EventKind::switch_experts, 3), streamed_bytes.expert());
  for (int step = 1; step <= 4; ++step) EXPECT_EQ(bytes_of(played, EventKind::d2h, step), 0) << step;
}

TEST(Streamer, SaysOfEachCopyWhichBlockItMoves) {
  const Played played = play(OffloadMode::layerwise, 3);
  for (int step = 1; step <= 4; ++step) {
    const int expert = step < 3 ? 1 : 2;
    std::set<std::pair<int, int>> every_block;
    for (int block = 0; block < layers; ++block) every_block.insert({expert, block});
    EXPECT_EQ(copied(played, step), every_block) << step;
  }
}

TEST(Streamer, CountsWaitsForWeightsAsStallsOfTheBlockThatWaits) {
  int64_t stalls = 0;
  for (const EventRow& row : play(OffloadMode::layerwise).events) {
    if (row.kind != EventKind::stall) continue;
    EXPECT_EQ(row.cause, StallCause::weights);
    EXPECT_GT(row.end_ns, row.start_ns);
    EXPECT_GE(row.block, 0);
    EXPECT_GE(row.forward, 0);
    ++stalls;
  }
  EXPECT_GT(stalls, 0);
}

TEST(Streamer, TooSmallADeviceSaysWhatWasAskedAndWhatIsLeft) {
  auto device = open_cpu_device({.memory_bytes = 4 * streamed_bytes.block, .link = nullptr});
  Recorder recorder(*device, nullptr, TraceDetail::step);
  expect_error(ExitCode::device_memory, "MiB for 6 block slots cannot be allocated", [&] {
    const OffloadPlan plan = plan_of(OffloadMode::swap);
    Streamer(*device, recorder, plan, load_host_store(*device, plan, Stamped()));
  });
}

TEST(Streamer, RefusesAUseThatIsNotTheNextOfItsPlan) {
  auto device = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
  Recorder recorder(*device, nullptr, TraceDetail::step);
  Streamer streamer(*device, recorder, plan_of(OffloadMode::resident), std::nullopt);
  streamer.load(Stamped());
  expect_error(ExitCode::internal, "step 1, expert 1, forward 0, block 1 is not use 0 of the plan", [&] {
    streamer.acquire({1, 0, 0, 1});
  });
}

// A copy that is under way when an error unwinds the loop must not lose the memory that it reads.
TEST(Streamer, KeepsTheHostsWeightsUntilTheCopiesUnderWayAreDone) {
  auto device = open_cpu_device({.memory_bytes = 1 << 20, .link = std::make_shared<Link>(200e3, 200e3, nullptr)});
  Recorder recorder(*device, nullptr, TraceDetail::step);
  const OffloadPlan plan = plan_of(OffloadMode::layerwise);
  Event under_way;
  {
    Streamer streamer(*device, recorder, plan, load_host_store(*device, plan, Stamped()));
    streamer.load(Stamped());
    streamer.acquire(plan.uses.front());
    under_way = device->record(StreamId::copy);
    ASSERT_FALSE(device->done(under_way)) << "the copy of a block takes 20 ms";
  }
  EXPECT_TRUE(device->done(under_way));
}

}  // namespace
}  // namespace wansweep
