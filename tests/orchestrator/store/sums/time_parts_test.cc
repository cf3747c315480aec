#include "orchestrator/store/sums/time_parts.h"

#include <gtest/gtest.h>

#include <random>

#include "orchestrator/store/sums/exchange_start.h"
#include "tests/orchestrator/store/sums/event_of.h"

namespace wansweep {
namespace {

StepRow step_of(int step, int64_t start, int64_t end) { return {step, 1, 999, 0.5F, start, end}; }

int64_t total(const TimeParts& p) {
  return p.compute + p.both + p.exchange + p.peers_beside_transfer + p.peers + p.transfer + p.host + p.idle;
}

TEST(TimeParts, EachPartSaysWhatHeldTheComputeStreamUp) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 2, 1};
  attempt.events = {
      {event_of(EventKind::compute, 0, 100), event_of(EventKind::h2d, 90, 250),
       event_of(EventKind::all_to_all, 100, 220), stall_of(StallCause::peers, 100, 220),
       event_of(EventKind::attention, 240, 300), stall_of(StallCause::weights, 300, 330),
       stall_of(StallCause::host, 330, 370)},
      {event_of(EventKind::all_to_all, 180, 215)},
  };
  attempt.steps = {{step_of(1, 0, 400)}, {step_of(1, 10, 390)}};
  const AttemptEvents view = attempt.view();
  const auto parts = split_time(view, moving_since(view));
  const TimeParts& first = parts[0].at(1);
  EXPECT_EQ(first.compute, 100 + 60);
  EXPECT_EQ(first.peers_beside_transfer, 80);  // [100, 180): the other rank had not begun
  EXPECT_EQ(first.both, 40);                   // [180, 220)
  EXPECT_EQ(first.transfer, 20 + 30);          // [220, 240) copies, [300, 330) waits for weights
  EXPECT_EQ(first.host, 40);
  EXPECT_EQ(first.idle, 30);
  const TimeParts& second = parts[1].at(1);  // its wall time is the attempt's
  EXPECT_EQ(second.exchange, 35);
  EXPECT_EQ(second.idle, 365);
}

TEST(TimeParts, AStepGoesOnUntilTheNextOneBegins) {
  HandMadeAttempt attempt;
  attempt.events = {{event_of(EventKind::compute, 10, 60), event_of(EventKind::compute, 60, 90, 0, 2)}};
  attempt.steps = {{step_of(1, 10, 50), step_of(2, 70, 100)}};
  const AttemptEvents view = attempt.view();
  const auto parts = split_time(view, moving_since(view));
  EXPECT_EQ(parts[0].at(1).compute, 60);  // 10 of the 60 are recorded as the next step's, but lie in this one
  EXPECT_EQ(parts[0].at(2).compute, 20);
  EXPECT_EQ(parts[0].at(2).idle, 10);
}

// The parts add up whatever the events are.
TEST(TimeParts, AddUpToTheWallTimeOfTheAttemptExactly) {
  std::mt19937_64 random(1);
  const auto up_to = [&](int64_t most) { return static_cast<int64_t>(random() % static_cast<uint64_t>(most + 1)); };
  for (int trial = 0; trial < 50; ++trial) {
    HandMadeAttempt attempt;
    attempt.spread = {1, 3, 1};
    int64_t first = 1'000'000, last = 0;
    for (int r = 0; r < 3; ++r) {
      std::vector<EventRow>& events = attempt.events.emplace_back();
      for (int i = 0; i < 200; ++i) {
        const int64_t start = up_to(10'000) - 500;
        EventRow e =
            event_of(static_cast<EventKind>(up_to(7)), start, start + up_to(300), 7, 1 + static_cast<int>(up_to(3)));
        e.block = static_cast<int16_t>(up_to(4));
        if (e.kind == EventKind::stall) e.cause = static_cast<StallCause>(up_to(3));
        events.push_back(e);
      }
      std::vector<StepRow>& steps = attempt.steps.emplace_back();
      int64_t time = up_to(100);
      first = std::min(first, time);
      for (int s = 1; s <= 4; ++s) {
        const int64_t end = time + up_to(2'500);
        steps.push_back(step_of(s, time, end));
        time = end + up_to(50);
        last = std::max(last, end);
      }
    }
    const AttemptEvents view = attempt.view();
    for (const auto& rank : split_time(view, moving_since(view))) {
      int64_t sum = 0;
      for (const auto& [step, parts] : rank) sum += total(parts);
      EXPECT_EQ(sum, last - first) << trial;
    }
  }
}

}  // namespace
}  // namespace wansweep
