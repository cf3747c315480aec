// Nodes whose copies follow a known law: a simulation computes when each copy ends.
#include "orchestrator/store/sums/traffic_rates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "orchestrator/store/sums/exchange_start.h"
#include "tests/orchestrator/store/sums/event_of.h"

namespace wansweep {
namespace {

// The rate of one rank's copy, in bytes a nanosecond, while `copying` ranks of its node copy and `exchanging` ranks
// exchange. itself: whether the copying rank exchanges too.
using Law = std::function<double(int copying, int exchanging, bool itself)>;

struct Exchanges {
  int64_t start, end;
};

struct SimulatedRank {
  std::vector<int64_t> copies;       // when each is asked for; it begins when the one before it has ended
  std::vector<Exchanges> exchanges;  // in order
};

// Copies of `bytes` each; a step every `step_ns`.
HandMadeAttempt simulate(const std::vector<SimulatedRank>& ranks, int64_t bytes, int64_t step_ns, const Law& law) {
  struct State {
    size_t next = 0;
    double left = 0;  // bytes left of the copy that runs; 0: no copy runs
    double start = 0;
  };
  std::vector<State> states(ranks.size());
  HandMadeAttempt attempt;
  attempt.events.resize(ranks.size());
  const auto step_at = [&](double time) { return 1 + static_cast<int>(time / static_cast<double>(step_ns)); };
  double now = 0;
  for (;;) {
    int copying = 0, exchanging = 0;
    std::vector<bool> in_exchange(ranks.size());
    double until = std::numeric_limits<double>::max();
    for (size_t r = 0; r < ranks.size(); ++r) {
      State& s = states[r];
      if (s.left == 0 && s.next < ranks[r].copies.size()) {
        const auto wanted = static_cast<double>(ranks[r].copies[s.next]);
        if (wanted <= now) {
          s = {s.next + 1, static_cast<double>(bytes), now};
        } else {
          until = std::min(until, wanted);
        }
      }
      copying += s.left > 0 ? 1 : 0;
      for (const Exchanges& e : ranks[r].exchanges) {
        const auto start = static_cast<double>(e.start), end = static_cast<double>(e.end);
        if (start <= now && now < end) in_exchange[r] = true;
        if (start > now) until = std::min(until, start);
        if (end > now) until = std::min(until, end);
      }
      exchanging += in_exchange[r] ? 1 : 0;
    }
    for (size_t r = 0; r < ranks.size(); ++r) {
      if (states[r].left > 0) until = std::min(until, now + states[r].left / law(copying, exchanging, in_exchange[r]));
    }
    if (until == std::numeric_limits<double>::max()) break;
    for (size_t r = 0; r < ranks.size(); ++r) {
      State& s = states[r];
      if (s.left == 0) continue;
      s.left -= (until - now) * law(copying, exchanging, in_exchange[r]);
      if (s.left > 1e-3) continue;
      s.left = 0;
      attempt.events[r].push_back(
          event_of(EventKind::h2d, std::llround(s.start), std::llround(until), bytes, step_at(s.start)));
    }
    now = until;
  }
  for (size_t r = 0; r < ranks.size(); ++r) {
    for (const Exchanges& e : ranks[r].exchanges) {
      EventRow row =
          event_of(EventKind::all_to_all, e.start, e.end, e.end - e.start, step_at(static_cast<double>(e.start)));
      attempt.events[r].push_back(row);
    }
  }
  attempt.spread = {1, static_cast<int64_t>(ranks.size()), 1};
  return attempt;
}

// Copies at random times, and exchanges of all ranks at once, which take 1 to 3 ms each and begin 1 to 6 ms after the
// one before.
std::vector<SimulatedRank> random_ranks(size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  const auto between = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least));
  };
  std::vector<SimulatedRank> ranks(count);
  for (int64_t time = 0; time < 800'000'000;) {
    time += between(1'000'000, 6'000'000);
    const int64_t end = time + between(1'000'000, 3'000'000);
    for (SimulatedRank& rank : ranks) rank.exchanges.push_back({time, end});
    time = end;
  }
  for (SimulatedRank& rank : ranks) {
    for (int64_t time = 0; time < 800'000'000; time += between(1'000'000, 9'000'000)) rank.copies.push_back(time);
  }
  return ranks;
}

std::map<RateKey, TrafficRate> rates_of(HandMadeAttempt attempt) {
  const AttemptEvents view = attempt.view();
  return estimate_rates(view, moving_since(view));
}

TEST(TrafficRates, PartialOverlapsGiveTheRatesAloneAndBeside) {
  const auto attempt = simulate(random_ranks(1, 1), 3'000'000, 50'000'000,
                                [](int, int exchanging, bool) { return exchanging > 0 ? 0.5 : 1.0; });
  const auto rates = rates_of(attempt);
  EXPECT_NEAR(*rates.at({EventKind::h2d, 0, Condition::alone}).rate, 1e9, 1e6);
  EXPECT_NEAR(*rates.at({EventKind::h2d, 0, Condition::beside}).rate, 0.5e9, 1e6);
  EXPECT_EQ(rates.at({EventKind::h2d, 1, Condition::alone}).rate, rates.at({EventKind::h2d, 0, Condition::alone}).rate);
  EXPECT_NEAR(*rates.at({EventKind::all_to_all, 0, Condition::alone}).rate, 1e9, 1e6);
  EXPECT_NEAR(*rates.at({EventKind::all_to_all, 0, Condition::beside}).rate, 1e9, 1e6);
}

TEST(TrafficRates, OneLinkForAllIsSharedByThoseThatCopyAtOnce) {
  const auto attempt = simulate(random_ranks(4, 2), 800'000, 50'000'000,
                                [](int copying, int exchanging, bool) { return 1.0 / (copying + exchanging); });
  const auto rates = rates_of(attempt);
  for (int at_once = 1; at_once <= 4; ++at_once) {
    EXPECT_NEAR(*rates.at({EventKind::h2d, at_once, Condition::alone}).rate, 1e9 / at_once, 1e7) << at_once;
    EXPECT_NEAR(*rates.at({EventKind::h2d, at_once, Condition::beside}).rate, 1e9 / (at_once + 4), 1e7) << at_once;
  }
}

TEST(TrafficRates, ALinkOfEachRankIsNotSharedAndAnExchangeOfOthersDoesNotMatter) {
  auto ranks = random_ranks(3, 4);
  ranks[2].exchanges.clear();
  const auto attempt = simulate(ranks, 2'000'000, 50'000'000, [](int, int, bool itself) { return itself ? 0.6 : 1.0; });
  const auto rates = rates_of(attempt);
  EXPECT_NEAR(*rates.at({EventKind::h2d, 0, Condition::alone}).rate, 1e9, 1e6);
  EXPECT_NEAR(*rates.at({EventKind::h2d, 0, Condition::beside}).rate, 0.6e9, 1e6);
  EXPECT_NEAR(*rates.at({EventKind::h2d, 0, Condition::beside_peers}).rate, 1e9, 1e6);
}

TEST(TrafficRates, RanksOfOtherNodesDoNotCount) {
  auto attempt = simulate(random_ranks(2, 5), 2'000'000, 50'000'000, [](int, int, bool) { return 1.0; });
  attempt.one_host = false;
  const auto rates = rates_of(attempt);
  EXPECT_TRUE(rates.contains({EventKind::h2d, 1, Condition::alone}));
  EXPECT_FALSE(rates.contains({EventKind::h2d, 2, Condition::alone}));
}

// Where one rank arrives late, the events of the others contain their wait for it.
TEST(TrafficRates, WaitingForTheLastRankLowersNoRate) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 2, 1};
  attempt.events.resize(2);
  for (int64_t i = 0; i < 40; ++i) {
    const int64_t start = i * 10'000, late = 1'000 + 100 * (i % 7);
    const int step = 1 + static_cast<int>(i / 10);
    attempt.events[0].push_back(event_of(EventKind::all_to_all, start, start + late + 500, 500, step));
    attempt.events[1].push_back(event_of(EventKind::all_to_all, start + late, start + late + 500, 500, step));
  }
  const auto rates = rates_of(attempt);
  EXPECT_NEAR(*rates.at({EventKind::all_to_all, 0, Condition::alone}).rate, 1e9, 1);
  EXPECT_EQ(rates.at({EventKind::all_to_all, 0, Condition::alone}).time_ns, 2 * 40 * 500);
}

// Two ranks bring parts for each other, at 2 bytes a nanosecond alone and 1 beside an exchange, each after it has
// waited for the other.
TEST(TrafficRates, PartsOfWeightsFromPeersHaveRatesAloneAndBesideExchanges) {
  HandMadeAttempt attempt;
  attempt.spread = {1, 2, 1};
  attempt.events.resize(2);
  for (int64_t i = 0; i < 40; ++i) {
    const int64_t start = i * 10'000, late = 300 + 100 * (i % 5), beside = 200 * (i % 4);
    const int step = 1 + static_cast<int>(i / 10);
    for (size_t r = 0; r < 2; ++r) {
      const int64_t begin = start + (r == 0 ? 0 : late), moving = start + late, end = moving + 1'000;
      attempt.events[r].push_back(event_of(EventKind::weight_parts, begin, end, 2 * 1'000 - beside, step));
      attempt.events[r].push_back(event_of(EventKind::all_to_all, end - beside, end + 500, 500 + beside, step));
    }
  }
  const auto rates = rates_of(attempt);
  EXPECT_NEAR(*rates.at({EventKind::weight_parts, 0, Condition::alone}).rate, 2e9, 1e3);
  EXPECT_NEAR(*rates.at({EventKind::weight_parts, 0, Condition::beside}).rate, 1e9, 1e3);
  EXPECT_FALSE(rates.contains({EventKind::weight_parts, 1, Condition::alone}));
  EXPECT_FALSE(rates.contains({EventKind::all_to_all, 0, Condition::beside}))
      << "parts are no copies of the host's link";
}

TEST(TrafficRates, WhatIsLoadedBeforeTheFirstStepIsNotAsked) {
  HandMadeAttempt attempt;
  attempt.events = {{event_of(EventKind::h2d, 0, 100, 50, 0)}};
  EXPECT_TRUE(rates_of(attempt).empty());
}

}  // namespace
}  // namespace wansweep
