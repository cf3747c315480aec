#include "worker/device/cpu/link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

constexpr double rate = 400e6;
constexpr int64_t bytes = 40'000'000;  // 100 ms

double seconds_of(const std::function<void()>& work) {
  const int64_t start = monotonic_ns();
  work();
  return static_cast<double>(monotonic_ns() - start) * 1e-9;
}

void occupy(Link& link, Direction direction, int64_t size) {
  link.transfer(direction, nullptr, nullptr, size, monotonic_ns());
}

// Expects `measure` to take `seconds` within 10 %: never less. More is forgiven in all tries but one, since a busy
// machine may keep the thread from its processor.
void expect_seconds(double seconds, const std::function<double()>& measure) {
  double best = 1e9;
  for (int tries = 0; tries < 8 && best > seconds * 1.1; ++tries) {
    best = std::min(best, measure());
    ASSERT_GE(best, seconds * 0.9);
  }
  EXPECT_LE(best, seconds * 1.1);
}

TEST(Link, OneUserGetsTheWholeRate) {
  Link link(rate, rate / 2);
  const std::vector<std::byte> from(bytes, std::byte{7});
  std::vector<std::byte> to(bytes);
  expect_seconds(0.1, [&] {
    return seconds_of([&] { link.transfer(Direction::in, to.data(), from.data(), bytes, monotonic_ns()); });
  });
  EXPECT_EQ(to, from);
  expect_seconds(0.2, [&] {
    return seconds_of([&] { link.transfer(Direction::out, to.data(), from.data(), bytes, monotonic_ns()); });
  });
}

TEST(Link, TwoUsersGetHalfEachAndTogetherTheRate) {
  LinkState wire{};
  Link first(rate, rate, &wire);
  Link second(rate, rate, &wire);
  // The user that ends sooner had half of the rate all along only if it too took as long as both.
  expect_seconds(0.2, [&] {
    double times[2] = {};
    const double all = seconds_of([&] {
      std::thread other([&] { times[1] = seconds_of([&] { occupy(second, Direction::in, bytes); }); });
      times[0] = seconds_of([&] { occupy(first, Direction::in, bytes); });
      other.join();
    });
    EXPECT_GE(std::min(times[0], times[1]), 0.14);
    return all;
  });
}

TEST(Link, DirectionsDoNotDisturbEachOther) {
  Link link(rate, rate);
  expect_seconds(0.1, [&] {
    return seconds_of([&] {
      std::thread other([&] { occupy(link, Direction::out, bytes); });
      occupy(link, Direction::in, bytes);
      other.join();
    });
  });
}

TEST(Link, AnExchangeCountsFromWhenItBegan) {
  Link link(rate, rate);
  expect_seconds(0.05, [&] {
    const int64_t began = monotonic_ns() - 50'000'000;
    return seconds_of([&] { link.occupy_both(bytes, bytes / 2, began, [] {}); });
  });
}

TEST(Link, ATransferEndsWithTheWireHoweverLateItsThreadIs) {
  Link link(rate, rate);
  const int64_t began = monotonic_ns() - 1'000'000'000;  // the thread got no core for a second
  EXPECT_EQ(link.transfer(Direction::in, nullptr, nullptr, bytes, began), began + 100'000'000);
  EXPECT_EQ(link.occupy_both(bytes, 0, began + 300'000'000, [] {}), began + 400'000'000);
  EXPECT_EQ(link.occupy_both(bytes, bytes / 2, began, [] {}), began + 500'000'000) << "the wire is taken until then";
}

TEST(Link, TheCallersMessagesMoveOnBetweenTheWiresChunks) {
  Link link(rate, rate);
  int moved_on = 0;
  link.occupy_both(10 << 20, 1, monotonic_ns(), [&] { ++moved_on; });
  EXPECT_GE(moved_on, 10);
}

TEST(Link, AFastWireKeepsItsRateThoughChunksAreShorterThanASleep) {
  Link link(20e9, 20e9);
  expect_seconds(0.1, [&] { return seconds_of([&] { occupy(link, Direction::in, 2'000'000'000); }); });
}

TEST(Link, ATinyTransferDoesNotWaitForALongOnesEnd) {
  Link link(rate, rate);
  double best = 1;
  for (int tries = 0; tries < 8 && best > 0.03; ++tries) {
    std::thread other([&] { occupy(link, Direction::in, bytes); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    best = std::min(best, seconds_of([&] { occupy(link, Direction::in, 100); }));
    other.join();
  }
  EXPECT_LT(best, 0.03);
}

TEST(Link, ATransferOfNoBytesTakesNoTime) {
  Link link(1, 1);  // a byte takes a second
  EXPECT_LT(seconds_of([&] { link.transfer(Direction::in, nullptr, nullptr, 0, monotonic_ns()); }), 0.5);
}

TEST(Link, ARateOfZeroIsRefused) {
  expect_error(ExitCode::bad_input, "link: the rate is 0 bytes/s", [] { Link link(1, 0); });
}

}  // namespace
}  // namespace wansweep
