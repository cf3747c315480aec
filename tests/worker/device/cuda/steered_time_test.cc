// The GPU's clock beside the host's, as arithmetic.

#include "worker/device/cuda/steered_time.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

constexpr int64_t second = 1'000'000'000;

TEST(SteeredTime, AnEventAfterAMarkIsNeverToldBeforeOneAheadOfIt) {
  // Weights were loaded for 20 s without a mark; meanwhile the GPU's clock was seen to be 0.2 ms off.
  const SteeredTime before(100 * second);
  for (const int64_t target : {int64_t{-200'000}, int64_t{200'000}}) {
    const SteeredTime mark = before.next(20 * second, 0).next(second, target);
    const SteeredTime later = mark.next(20 * second, target);
    const int64_t start = mark.at(20 * second - 3'000), end = later.at(60'000);
    EXPECT_NEAR(static_cast<double>(end - start), 63'000, 10) << target;
    EXPECT_EQ(later.at(0) - later.own(), target);
  }
}

TEST(SteeredTime, IsTheSameFromAMarkAndFromTheOneBefore) {
  const SteeredTime first = SteeredTime(second).next(second, 70'000);
  const SteeredTime next = first.next(second / 2, -40'000);
  EXPECT_EQ(first.at(second / 2), next.at(0));
  // An event of another stream, which ended before the compute stream came to the mark.
  EXPECT_EQ(first.at(second / 2 - 123'456), next.at(-123'456));
}

TEST(SteeredTime, MakesUpWhatItIsOffByAtOneTenThousandthAndNoMore) {
  const SteeredTime mark = SteeredTime(0).next(second, 30'000);
  EXPECT_EQ(mark.at(100'000'000), second + 100'000'000 + 10'000);
  EXPECT_EQ(mark.at(10 * second), 11 * second + 30'000);
  EXPECT_EQ(mark.at(-5'000), second - 5'000);
}

}  // namespace
}  // namespace wansweep
