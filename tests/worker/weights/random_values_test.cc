#include "worker/weights/random_values.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <vector>

namespace wansweep {
namespace {

TEST(RandomValues, AnyRangeIsThatPartOfTheWhole) {
  std::vector<float> all(1000);
  std::vector<float> part(100);
  fill_normal(3, "blocks.0.attn1.to_q.weight", 0, all, 0.02F);
  for (const int64_t first : {0, 1, 77, 900}) {
    fill_normal(3, "blocks.0.attn1.to_q.weight", first, part, 0.02F);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + first));
  }
}

TEST(RandomValues, ValuesAreNormal) {
  const size_t n = 4'000'000;
  std::vector<float> values(n);
  fill_normal(42, "latents", 0, values, 2);
  double sums[5] = {};
  double lag = 0;
  size_t within_one = 0;
  for (size_t i = 0; i < n; ++i) {
    const double x = values[i] / 2.0;
    for (int power = 1; power < 5; ++power) sums[power] += std::pow(x, power) / static_cast<double>(n);
    lag += x * (i > 0 ? values[i - 1] / 2.0 : 0) / static_cast<double>(n);
    within_one += std::abs(x) < 1;
  }
  EXPECT_NEAR(sums[1], 0, 0.003);
  EXPECT_NEAR(sums[2], 1, 0.003);
  EXPECT_NEAR(sums[3], 0, 0.01);
  EXPECT_NEAR(sums[4], 3 - 0.15, 0.02);
  EXPECT_NEAR(lag, 0, 0.003);
  EXPECT_NEAR(static_cast<double>(within_one) / static_cast<double>(n), 0.6766, 0.002);  // of a normal one: 0.6827
}

TEST(RandomValues, SeedsAndNamesGiveUnrelatedValues) {
  std::vector<float> a(100'000);
  fill_normal(1, "a", 0, a, 1);
  for (const auto& [seed, name] : {std::pair<uint64_t, const char*>{2, "a"}, {1, "b"}, {0, "a"}}) {
    std::vector<float> b(a.size());
    fill_normal(seed, name, 0, b, 1);
    double product = 0;
    for (size_t i = 0; i < a.size(); ++i) product += double{a[i]} * b[i] / static_cast<double>(a.size());
    EXPECT_NEAR(product, 0, 0.015);
  }
}

TEST(RandomValues, TheFirstValuesNeverChange) {
  std::array<float, 4> values{};
  fill_normal(42, "latents", 0, values, 1);
  const std::array<uint32_t, 4> bits = {0x4002EE35, 0xBEE2B636, 0xBEE3556E, 0x3F18C354};
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(std::bit_cast<uint32_t>(values[i]), bits[i]);
}

}  // namespace
}  // namespace wansweep
