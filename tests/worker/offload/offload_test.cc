// Every mode serves the same uses with the right bytes, within its memory, and in the copies that it is known for.
#include "worker/offload/offload.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "schema/memory_estimate.h"
#include "tests/support/expect_error.h"
#include "worker/device/cpu/cpu_device.h"

namespace wansweep {
namespace {

constexpr int64_t block_bytes = 4096;
constexpr int64_t rest_bytes = 1024;

std::byte stamp(int expert, int block) { return static_cast<std::byte>(1 + expert * 100 + block); }

// Two experts of `layers` blocks, each filled with its stamp.
std::vector<ExpertWeights> stamped_experts(Device& device, int layers) {
  std::vector<ExpertWeights> experts(2);
  for (int e = 0; e < 2; ++e) {
    ExpertWeights& expert = experts[static_cast<size_t>(e)];
    expert.block.bytes = block_bytes;
    expert.other.bytes = rest_bytes;
    expert.storage = device.allocate_host(block_bytes * layers + rest_bytes, HostMemory::pinned, "stamped expert");
    for (int b = 0; b < layers; ++b) {
      expert.blocks.push_back(expert.storage.data() + block_bytes * b);
      std::memset(expert.blocks.back(), static_cast<int>(stamp(e, b)), block_bytes);
    }
    expert.rest = expert.storage.data() + block_bytes * layers;
    std::memset(expert.rest, static_cast<int>(stamp(e, layers)), rest_bytes);
  }
  return experts;
}

struct Played {
  int64_t wrong_bytes = 0;
  int64_t device_peak = 0;
  std::vector<EventRow> events;
};

// Plays four steps of two forwards with the switch before the third, looking at every block on the compute stream.
Played play(OffloadMode mode, int layers, int prefetch, const std::string& trace) {
  std::filesystem::remove(trace);
  auto device = open_cpu_device({.memory_bytes = 1 << 20, .link = std::make_shared<Link>(100e6, 100e6, nullptr)});
  Played played;
  {
    TraceWriter writer(trace, "{}", "{}");
    Recorder recorder(*device, &writer, TraceDetail::block);
    std::vector<ExpertWeights> experts = stamped_experts(*device, layers);
    const auto offload = make_offload(mode, {*device, recorder, experts, prefetch});
    for (int step = 1; step <= 4; ++step) {
      const int expert = step < 3 ? 0 : 1;
      recorder.begin_step(step, expert + 1, 1000 - step, 0.5f);
      offload->begin_step(expert);
      for (int forward = 0; forward < 2; ++forward) {
        EXPECT_EQ(*offload->rest(expert), stamp(expert, layers));
        for (int block = 0; block < layers; ++block) {
          const std::byte* weights = offload->acquire(expert, block);
          device->enqueue(StreamId::compute, [&played, weights, want = stamp(expert, block)] {
            for (int64_t i = 0; i < block_bytes; ++i) played.wrong_bytes += weights[i] != want;
          });
          offload->release(expert, block);
        }
      }
      recorder.end_step();
    }
    recorder.finish({});
    played.device_peak = device->memory_use().device_peak;
  }
  played.events = read_trace(trace).rows.events;
  std::filesystem::remove(trace);
  return played;
}

int64_t bytes_of(const Played& played, EventKind kind, int step) {
  int64_t bytes = 0;
  for (const EventRow& row : played.events) bytes += row.kind == kind && row.step == step ? row.bytes : 0;
  return bytes;
}

class OffloadTest : public testing::Test {
 protected:
  std::string trace() const {
    return testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5";
  }
};

TEST_F(OffloadTest, EveryModeServesTheRightBytes) {
  for (const OffloadMode mode : {OffloadMode::resident, OffloadMode::swap, OffloadMode::layerwise}) {
    EXPECT_EQ(play(mode, 6, 1, trace()).wrong_bytes, 0) << name_of(mode);
  }
  for (const int prefetch : {2, 3, 5})
    EXPECT_EQ(play(OffloadMode::layerwise, 6, prefetch, trace()).wrong_bytes, 0) << prefetch;
}

TEST_F(OffloadTest, ResidentHoldsBothExpertsAndMovesNothingInTheLoop) {
  const Played played = play(OffloadMode::resident, 6, 1, trace());
  EXPECT_EQ(played.device_peak, 2 * (6 * block_bytes + rest_bytes));
  for (int step = 1; step <= 4; ++step) EXPECT_EQ(bytes_of(played, EventKind::h2d, step), 0);
}

TEST_F(OffloadTest, SwapHoldsOneExpertAndMovesBothAtTheSwitchOnly) {
  const Played played = play(OffloadMode::swap, 6, 1, trace());
  const int64_t expert = 6 * block_bytes + rest_bytes;
  EXPECT_EQ(played.device_peak, expert);
  EXPECT_EQ(bytes_of(played, EventKind::h2d, 1), expert);
  EXPECT_EQ(bytes_of(played, EventKind::d2h, 1), 0);
  EXPECT_EQ(bytes_of(played, EventKind::h2d, 3), expert);
  EXPECT_EQ(bytes_of(played, EventKind::d2h, 3), expert);
  EXPECT_EQ(bytes_of(played, EventKind::h2d, 2) + bytes_of(played, EventKind::h2d, 4), 0);
}

TEST_F(OffloadTest, LayerwiseHoldsItsSlotsAndStreamsEveryBlockOfEachForward) {
  const Played played = play(OffloadMode::layerwise, 6, 1, trace());
  EXPECT_EQ(played.device_peak, layerwise_slots(6, 1, 2) * block_bytes + 2 * rest_bytes);
  EXPECT_LT(layerwise_slots(6, 1, 2), 6);
  // Over the loop: four steps of two forwards of six blocks; a copy is written under the step that enqueued it or the
  // next.
  int64_t bytes = 0;
  for (const EventRow& row : played.events) bytes += row.kind == EventKind::h2d && row.step > 0 ? row.bytes : 0;
  EXPECT_NEAR(static_cast<double>(bytes), 48.0 * block_bytes, 2.0 * block_bytes);
}

TEST_F(OffloadTest, WaitsForWeightsAreStalls) {
  int64_t stalls = 0;
  for (const EventRow& row : play(OffloadMode::layerwise, 6, 1, trace()).events) {
    if (row.kind != EventKind::stall) continue;
    EXPECT_EQ(row.cause, StallCause::weights);
    EXPECT_GT(row.end_ns, row.start_ns);
    ++stalls;
  }
  EXPECT_GT(stalls, 0);
}

TEST(Offload, TooSmallADeviceSaysWhatWasAskedAndWhatIsLeft) {
  auto device = open_cpu_device({.memory_bytes = 4 * block_bytes, .link = nullptr});
  Recorder recorder(*device, nullptr, TraceDetail::step);
  std::vector<ExpertWeights> experts = stamped_experts(*device, 6);
  expect_error(ExitCode::device_memory, "the active expert", [&] {
    make_offload(OffloadMode::swap, {*device, recorder, experts, 1});
  });
}

}  // namespace
}  // namespace wansweep
