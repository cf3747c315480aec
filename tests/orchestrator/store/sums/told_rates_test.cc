#include "orchestrator/store/sums/told_rates.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

TEST(ToldRates, ANarrowRateThatTheMeanAllowsIsTold) {
  const auto told = told_rates({{0.8, FittedRate{10, 0.5}}, {0.2, FittedRate{5, 0.7}}}, 9, 11);
  ASSERT_TRUE(told[0] && told[1]);
  EXPECT_EQ(told[0]->value, 10);
  EXPECT_EQ(told[1]->half_width, 0.7);
}

TEST(ToldRates, AWideIntervalIsNotTold) {
  const auto told = told_rates({{0.6, FittedRate{10, 1.6}}, {0.4, FittedRate{5, 0.7}}}, 8, 14);
  EXPECT_FALSE(told[0]);
  EXPECT_TRUE(told[1]);
}

// Four H200 with NVLink, layerwise: every copy overlaps exchanges for nearly the same share of its time. The fit gave
// 89 GB/s beside them, where no copy was faster than 49.8; by hand, 32.4 alone.
TEST(ToldRates, WhereCopiesAreAllAlikeTheRateOfNearlyAllTheirTimeIsToldFromTheMean) {
  const auto told = told_rates(
      {{0.953, FittedRate{29.8, 2.5}}, {0.043, FittedRate{89, 60}}, {0.004, FittedRate{72, 28}}}, 32.49, 49.78);
  ASSERT_TRUE(told[0]);
  EXPECT_NEAR(told[0]->value, 32.9, 0.1);
  EXPECT_NEAR(*told[0]->half_width, 1.2, 0.1);
  EXPECT_FALSE(told[1]);
  EXPECT_FALSE(told[2]);
}

// The other sweep of that study: a narrow interval around a rate that is possible only if copies beside exchanges moved
// backwards. By hand, 35.5 alone.
TEST(ToldRates, ANarrowRateThatTheMeanForbidsIsNotTold) {
  const auto told = told_rates({{0.951, FittedRate{37.44, 1.31}}, {0.049, FittedRate{-11, 22}}}, 35.09, 54.91);
  ASSERT_TRUE(told[0]);
  EXPECT_NEAR(told[0]->value, 35.5, 0.1);
  EXPECT_FALSE(told[1]);
}

TEST(ToldRates, AConditionOfLittleTimeIsGivenNoRate) {
  const auto told = told_rates({{0.992, FittedRate{10, 0}}, {0.008, FittedRate{10, 0}}}, 10, 10);
  EXPECT_TRUE(told[0]);
  EXPECT_FALSE(told[1]);
}

TEST(ToldRates, WithoutAnIntervalOnlyTheRateOfASingleConditionIsTold) {
  const auto one = told_rates({{1, FittedRate{10, std::nullopt}}}, 10, 12);
  ASSERT_TRUE(one[0]);
  EXPECT_FALSE(one[0]->half_width);
  const auto two = told_rates({{0.5, FittedRate{10, std::nullopt}}, {0.5, FittedRate{5, std::nullopt}}}, 7.5, 12);
  EXPECT_FALSE(two[0]);
  EXPECT_FALSE(two[1]);
}

}  // namespace
}  // namespace wansweep
