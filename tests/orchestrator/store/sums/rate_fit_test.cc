#include "orchestrator/store/sums/rate_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace wansweep {
namespace {

TEST(RateFit, PartialOverlapsGiveBothRatesExactly) {
  RateFit fit(2);
  for (int i = 1; i <= 20; ++i) {
    const double beside = i, alone = 40 - 1.5 * i;
    fit.add(i % 4, {{0, alone}, {1, beside}}, {{0, alone + 3}, {1, beside + i % 3}}, 12.4 * alone + 7.9 * beside);
  }
  const auto rates = fit.solve();
  EXPECT_NEAR(rates[0]->value, 12.4, 1e-9);
  EXPECT_NEAR(rates[1]->value, 7.9, 1e-9);
  EXPECT_NEAR(*rates[0]->half_width, 0, 1e-9);
}

TEST(RateFit, OneConditionIsAllBytesOverAllTime) {
  RateFit fit(3);
  fit.add(1, {{2, 10}}, {{2, 15}}, 100);
  fit.add(2, {{2, 30}}, {{2, 15}}, 100);
  const auto rates = fit.solve();
  EXPECT_FALSE(rates[0]);
  EXPECT_DOUBLE_EQ(rates[2]->value, 5);
  EXPECT_TRUE(rates[2]->half_width);
}

TEST(RateFit, OneStepGivesNoInterval) {
  RateFit fit(1);
  fit.add(7, {{0, 10}}, {{0, 10}}, 100);
  fit.add(7, {{0, 12}}, {{0, 10}}, 100);
  EXPECT_FALSE(fit.solve()[0]->half_width);
}

TEST(RateFit, ConditionsThatAlwaysGoTogetherAreNotToldApart) {
  RateFit fit(3);
  for (int i = 1; i <= 10; ++i) {
    const double time = 10 + i % 3, third = i % 2 == 0 ? 5 : 0;
    fit.add(i, {{0, time}, {1, 2 * time}, {2, third}}, {{0, time}, {1, 2 * time}, {2, third}}, 3 * time + 7 * third);
  }
  const auto rates = fit.solve();
  EXPECT_FALSE(rates[0]);
  EXPECT_FALSE(rates[1]);
  EXPECT_NEAR(rates[2]->value, 7, 1e-9);
}

TEST(RateFit, AsManyConditionsAsEventsTellNothing) {
  RateFit fit(2);
  fit.add(1, {{0, 10}, {1, 5}}, {{0, 10}, {1, 5}}, 100);
  fit.add(2, {{0, 12}, {1, 2}}, {{0, 12}, {1, 2}}, 100);
  EXPECT_FALSE(fit.solve()[0]);
  EXPECT_FALSE(fit.solve()[1]);
}

TEST(RateFit, StudentsTMatchesItsTable) {
  for (const auto& [degrees, t] :
       {std::pair{1, 12.706}, {2, 4.303}, {3, 3.182}, {4, 2.776}, {10, 2.228}, {26, 2.056}}) {
    EXPECT_NEAR(student_t_975(degrees), t, 0.01 * t) << degrees;
  }
}

// Each event moves 100 bytes: it spends 4 to 12 beside another event, and then as long alone as the rest of its bytes
// need. The rates are disturbed, for each event and for each step, so a slower event spends more of its time alone.
TEST(RateFit, IntervalsHoldTheTruthWhereDisturbedEventsLastLonger) {
  constexpr double alone = 10, beside = 5;
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(4, 12);
  int held_alone = 0, held_beside = 0;
  constexpr int trials = 400;
  for (int trial = 0; trial < trials; ++trial) {
    RateFit fit(2);
    for (int step = 0; step < 20; ++step) {
      const double of_step = 0.05 * normal(random);
      for (int i = 0; i < 30; ++i) {
        const double disturbed = std::exp(of_step + 0.1 * normal(random));
        const double other = uniform(random);
        const auto time_alone = [&](double factor) { return (100 / factor - beside * other) / alone; };
        fit.add(step, {{0, time_alone(disturbed)}, {1, other}}, {{0, time_alone(1)}, {1, other}}, 100);
      }
    }
    const auto rates = fit.solve();
    held_alone += std::abs(rates[0]->value - alone) <= *rates[0]->half_width ? 1 : 0;
    held_beside += std::abs(rates[1]->value - beside) <= *rates[1]->half_width ? 1 : 0;
  }
  EXPECT_GE(held_alone, trials * 9 / 10);
  EXPECT_GE(held_beside, trials * 9 / 10);
}

}  // namespace
}  // namespace wansweep
