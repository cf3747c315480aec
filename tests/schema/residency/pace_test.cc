#include "schema/residency/pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace wansweep {
namespace {

// The least rate by its definition: over all runs of windows, the rate of the run that needs most.
LinkRate by_all_runs(const std::vector<CopyWindow>& windows) {
  LinkRate most;
  for (size_t a = 0; a < windows.size(); ++a) {
    for (size_t b = a; b < windows.size(); ++b) {
      most = std::max(most, LinkRate{static_cast<int64_t>(b - a + 1), windows[b].until - windows[a].from});
    }
  }
  return most;
}

// Whether all copies arrive in time over a link of `rate` when each starts as early as its slot is free.
bool serves(const std::vector<CopyWindow>& windows, const LinkRate& rate) {
  int64_t link_free = 0;  // when the link is free, in parts of a use; a use has rate.copies parts
  for (const CopyWindow& window : windows) {
    link_free = std::max(link_free, window.from * rate.copies) + rate.uses;
    if (link_free > window.until * rate.copies) return false;
  }
  return true;
}

std::vector<CopyWindow> random_windows(std::mt19937& random) {
  std::vector<CopyWindow> windows;
  CopyWindow window{static_cast<int32_t>(random() % 3), static_cast<int32_t>(3 + random() % 9)};
  for (size_t left = random() % 12; left > 0; --left) {
    windows.push_back(window);
    window.from += 1 + static_cast<int32_t>(random() % 4);
    window.until = std::max(window.until + 1, window.from + 1) + static_cast<int32_t>(random() % 4);
  }
  return windows;
}

TEST(Pace, TheLeastRateIsThatOfTheMostDemandingRunOfCopies) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::vector<CopyWindow> windows = random_windows(random);
    const LinkRate least = least_rate(windows);
    const LinkRate expected = by_all_runs(windows);
    ASSERT_FALSE(least < expected || expected < least) << i;
  }
}

TEST(Pace, TheLeastRateServesEveryCopyAndLessDoesNot) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    const std::vector<CopyWindow> windows = random_windows(random);
    if (windows.empty()) continue;
    const LinkRate least = least_rate(windows);
    ASSERT_TRUE(serves(windows, least)) << i;
    ASSERT_FALSE(serves(windows, {least.copies * 1000 - 1, least.uses * 1000})) << i;
  }
}

TEST(Pace, StartsAreNeverEarlierThanTheSlotNorCloserThanTheLinkTakes) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::vector<CopyWindow> windows = random_windows(random);
    const LinkRate rate = least_rate(windows);
    const std::vector<int32_t> starts = paced_starts(windows, rate);
    for (size_t a = 0; a < windows.size(); ++a) {
      ASSERT_GE(starts[a], windows[a].from);
      ASSERT_LT(starts[a], windows[a].until);
      for (size_t b = a + 1; b < windows.size(); ++b) {  // b - a copies between them, less one use for rounding
        ASSERT_GT((starts[b] - starts[a] + 1) * rate.copies, static_cast<int64_t>(b - a) * rate.uses) << i;
      }
    }
  }
}

TEST(Pace, WithoutCopiesThereIsNoRate) {
  EXPECT_EQ(least_rate({}).copies, 0);
  EXPECT_TRUE(paced_starts({}, {}).empty());
}

}  // namespace
}  // namespace wansweep
