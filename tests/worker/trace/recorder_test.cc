#include "worker/trace/recorder.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/nap.h"
#include "worker/device/cpu/cpu_device.h"

namespace wansweep {
namespace {

class RecorderTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(file_); }
  void TearDown() override { std::filesystem::remove(file_); }

  void work(StreamId stream, int ms) {
    device_->enqueue(stream, [ms] { nap(ms); });
  }
  // One forward of two blocks, with attention between compute, and a wait for peers in the second block.
  void record_step(Recorder& recorder, int step) {
    recorder.begin_step(step, 0, 900, 0.9f);
    for (int16_t block = 0; block < 2; ++block) {
      const Place place{0, 0, block};
      for (const EventKind kind : {EventKind::compute, EventKind::attention}) {
        const Recorder::Span span = recorder.begin(kind, StreamId::compute, place);
        work(StreamId::compute, 1);
        recorder.end(span);
      }
      if (block == 1) {
        device_->wait(StreamId::comm, device_->record(StreamId::compute));
        const Recorder::Span span = recorder.begin(EventKind::all_to_all, StreamId::comm, place);
        work(StreamId::comm, 8);
        recorder.end(span, 77);
        recorder.wait(device_->record(StreamId::comm), StallCause::peers, place);
      }
    }
    recorder.end_step();
  }

  std::string file_ = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5";
  std::unique_ptr<CpuDevice> device_ = open_cpu_device({.memory_bytes = 1 << 20, .link = nullptr});
};

TEST_F(RecorderTest, BlockDetailKeepsEverySpanWithItsPlace) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::block);
  record_step(recorder, 1);
  recorder.finish({});
  const TraceRows rows = read_trace(file_).rows;
  ASSERT_EQ(rows.events.size(), 6U);  // four spans of work, one exchange, one stall
  EXPECT_EQ(rows.events[0].block, 0);
  EXPECT_EQ(rows.events[3].kind, EventKind::attention);
  EXPECT_EQ(rows.events[3].block, 1);
  for (const EventRow& row : rows.events) {
    EXPECT_EQ(row.step, 1);
    EXPECT_EQ(row.forward, 0);
    EXPECT_EQ(row.expert, 1);
    EXPECT_GE(row.start_ns, rows.steps[0].start_ns);
    EXPECT_LE(row.end_ns, rows.steps[0].end_ns);
  }
}

TEST_F(RecorderTest, StepDetailMergesWorkBetweenStallsAndKeepsTheStalls) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::step);
  record_step(recorder, 1);
  recorder.finish({});
  int compute = 0, stalls = 0, exchanges = 0;
  for (const EventRow& row : read_trace(file_).rows.events) {
    compute += row.kind == EventKind::compute;
    exchanges += row.kind == EventKind::all_to_all && row.bytes == 77;
    if (row.kind == EventKind::stall) {
      ++stalls;
      EXPECT_EQ(row.cause, StallCause::peers);
      EXPECT_GT(row.end_ns - row.start_ns, 1'000'000);
    }
    EXPECT_NE(row.kind, EventKind::attention);
  }
  EXPECT_EQ(compute, 1);
  EXPECT_EQ(stalls, 1);
  EXPECT_EQ(exchanges, 1);
}

TEST_F(RecorderTest, StepDetailKeepsTheForwardsOfAStepApart) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::step);
  recorder.begin_step(1, 1, 900, 0.9f);
  for (const int forward : {0, 0, 1, -1}) {
    const Recorder::Span span =
        recorder.begin(EventKind::compute, StreamId::compute, {1, static_cast<int8_t>(forward), 3});
    work(StreamId::compute, 1);
    recorder.end(span);
  }
  recorder.end_step();
  const TraceRows rows = read_trace(file_).rows;
  ASSERT_EQ(rows.events.size(), 3U);
  const std::array<int, 3> forwards{0, 1, -1};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rows.events[i].forward, forwards[i]);
    EXPECT_EQ(rows.events[i].block, -1);
    EXPECT_EQ(rows.events[i].expert, 2);
  }
}

TEST_F(RecorderTest, AWaitForAnEventThatHasEndedIsNoStall) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::block);
  recorder.begin_step(1, 0, 900, 0.9f);
  recorder.wait(Event(), StallCause::weights, {});
  const Event there = device_->record(StreamId::copy);
  device_->synchronize(there);
  recorder.wait(there, StallCause::weights, {});
  recorder.end_step();
  recorder.finish({});
  int64_t stalled_ns = 0;
  for (const EventRow& row : read_trace(file_).rows.events) stalled_ns += row.end_ns - row.start_ns;
  EXPECT_LT(stalled_ns, 1'000'000);  // two threads read the time a moment apart
}

TEST_F(RecorderTest, ATransferUnderWayAtTheStepsEndIsWrittenOnceItIsDone) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::block);
  recorder.begin_step(1, 0, 900, 0.9f);
  const Recorder::Span span = recorder.begin(EventKind::h2d, StreamId::copy, {1, -1, 5});
  work(StreamId::copy, 50);
  recorder.end(span, 123);
  recorder.end_step();
  EXPECT_TRUE(read_trace(file_).rows.events.empty());
  EXPECT_EQ(read_trace(file_).rows.steps.size(), 1U);
  recorder.finish({});
  const TraceRows rows = read_trace(file_).rows;
  ASSERT_EQ(rows.events.size(), 1U);
  EXPECT_EQ(rows.events[0].bytes, 123);
  EXPECT_EQ(rows.events[0].expert, 2) << "whose weights are moved, not whose step it is";
  EXPECT_EQ(rows.events[0].block, 5);
  EXPECT_EQ(rows.events[0].step, 1);
  EXPECT_GT(rows.events[0].end_ns, rows.steps[0].end_ns);
}

TEST_F(RecorderTest, EveryStepIsOnDiskWhenItsEndReturns) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::block);
  for (int step = 1; step <= 3; ++step) {
    record_step(recorder, step);
    EXPECT_EQ(read_trace(file_).rows.steps.size(), static_cast<size_t>(step));
    EXPECT_EQ(read_trace(file_).rows.memory.size(), static_cast<size_t>(step));
  }
  EXPECT_EQ(recorder.steps_written(), 3);
}

TEST_F(RecorderTest, EveryCountedStepSaysHowManyValuesAreNotFinite) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::block);
  int64_t count = 0;
  for (int step = 1; step <= 3; ++step) {
    recorder.begin_step(step, 0, 900, 0.9f);
    device_->enqueue(StreamId::compute, [&count, step] { count = 7 * (step - 1); });
    recorder.end_step(step < 3 ? &count : nullptr);
  }
  const std::vector<NonfiniteRow> rows = read_trace(file_).rows.nonfinite;
  ASSERT_EQ(rows.size(), 2U) << "nobody counted in the third";
  EXPECT_EQ(rows[0].step, 1);
  EXPECT_EQ(rows[0].values, 0) << "that all are finite is known too";
  EXPECT_EQ(rows[1].step, 2);
  EXPECT_EQ(rows[1].values, 7) << "as the step's compute left it";
}

TEST_F(RecorderTest, ADeviceThatDoesNotTellItsPowerLeavesNoSamples) {
  TraceWriter writer(file_, "{}", "{}");
  Recorder recorder(*device_, &writer, TraceDetail::block);
  record_step(recorder, 1);
  EXPECT_TRUE(read_trace(file_).rows.power.empty());
}

TEST_F(RecorderTest, WithoutAWriterNothingIsKept) {
  Recorder recorder(*device_, nullptr, TraceDetail::block);
  record_step(recorder, 1);
  recorder.finish({});
  EXPECT_EQ(recorder.events_written(), 0);
}

}  // namespace
}  // namespace wansweep
