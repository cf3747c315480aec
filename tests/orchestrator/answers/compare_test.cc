#include "orchestrator/answers/compare.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"

namespace wansweep {
namespace {

ComparedSweep sweep(const std::string& name, double shift, const std::vector<double>& resident,
                    const std::vector<double>& swap) {
  ComparedSweep made;
  made.name = name;
  for (const auto& [offload, totals] : {std::pair("resident", resident), std::pair("swap", swap)}) {
    ComparedConfiguration& one = made.configurations[name + offload];
    one.settings = {{"offload", offload}, {"flow_shift", shift == 3 ? "3" : "12"}};
    for (size_t i = 0; i < totals.size(); ++i) {
      const auto repeat = static_cast<int64_t>(i) + 1;
      one.samples["total"][repeat] = totals[i];
      one.samples["switch step"][repeat] = shift == 3 ? 10 : 19;
    }
  }
  return made;
}

MetricChange change(const Comparison& comparison, const std::string& configuration, const std::string& metric) {
  for (const ConfigurationChange& one : comparison.configurations) {
    if (one.name != configuration) continue;
    for (const MetricChange& each : one.metrics) {
      if (each.metric == metric) return each;
    }
  }
  ADD_FAILURE() << configuration << " has no " << metric;
  return {};
}

TEST(Bootstrap, SamplesThatDoNotOverlapDiffer) {
  const auto interval = bootstrap_difference({1.0, 1.1, 1.2}, {2.0, 2.1, 2.2});
  ASSERT_TRUE(interval);
  EXPECT_TRUE(interval->excludes_zero());
  EXPECT_DOUBLE_EQ(interval->low, 0.8);
  EXPECT_DOUBLE_EQ(interval->high, 1.2);
}

TEST(Bootstrap, SamplesThatOverlapDoNot) {
  EXPECT_FALSE(bootstrap_difference({1.0, 1.1, 1.2}, {1.15, 1.25, 1.3})->excludes_zero());
}

TEST(Bootstrap, TheSameValuesGiveTheSameInterval) {
  const std::vector<double> before{1, 2, 4, 8, 16};
  const std::vector<double> after{3, 5, 7, 11, 13};
  const auto first = bootstrap_difference(before, after);
  const auto second = bootstrap_difference(before, after);
  EXPECT_EQ(first->low, second->low);
  EXPECT_EQ(first->high, second->high);
}

TEST(Bootstrap, FewerThanThreeValuesSayNothing) {
  EXPECT_FALSE(bootstrap_difference({1, 1}, {9, 9, 9}));
  EXPECT_FALSE(bootstrap_difference({1, 1, 1}, {}));
}

TEST(Bootstrap, PairsAreResampledTogether) {
  const std::vector<PairedValue> before{{11, 10}, {22, 20}, {33, 30}}, after{{12, 10}, {24, 20}, {36, 30}};
  const auto interval = bootstrap_ratio_difference(before, after);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low, 0.1, 1e-12) << "what slows both of a pair cancels";
  EXPECT_NEAR(interval->high, 0.1, 1e-12);
}

// As in offload_comparison: 15.77 over 10 is 57.7 %, while the median of the pairs' overheads is 70 %.
TEST(Compare, OverheadIsTheRatioOfTheMedians) {
  ComparedSweep before = sweep("old", 3, {9, 10, 12}, {15.3, 15.77, 24});
  before.configurations["oldswap"].resident = before.configurations["oldresident"].samples["total"];
  const Comparison comparison = compare_sweeps(before, before);
  const MetricChange overhead = change(comparison, "offload=swap", "overhead");
  EXPECT_NEAR(*overhead.before, 57.7, 1e-9);
  EXPECT_FALSE(overhead.interval->excludes_zero());
}

TEST(Compare, DifferencesHaveTheDigitsThatShowWhyTheyCount) {
  Comparison comparison;
  comparison.configurations = {
      {"all", {{"first load", "s", 3, 3, 0.0101, 0.0105, BootstrapInterval{0.00004, 0.0012}}}}};
  const std::string text = text_of(comparison);
  EXPECT_NE(text.find("0.000040 to 0.001200"), std::string::npos) << text;
  EXPECT_NE(text.find("0.01010  0.01050"), std::string::npos) << text;
  comparison.configurations[0].metrics = {{"total", "s", 3, 3, 500.0, 499.9999, {}}};
  EXPECT_EQ(text_of(comparison).find("-0.0 "), std::string::npos) << "a share that rounds to zero has no sign";
}

TEST(Compare, PartnersAreFoundByTheSettingsThatDidNotChange) {
  const Comparison comparison = compare_sweeps(sweep("old", 3, {10, 10.1, 10.2}, {11, 11.1, 11.2}),
                                               sweep("new", 12, {10, 10.1, 10.2}, {9, 9, 9.1}));
  ASSERT_EQ(comparison.configurations.size(), 2u);
  EXPECT_EQ(comparison.changed, std::vector<std::string>{"flow_shift 3 -> 12"});
  EXPECT_FALSE(change(comparison, "offload=resident", "total").interval->excludes_zero());
  EXPECT_TRUE(change(comparison, "offload=swap", "total").interval->excludes_zero());
  EXPECT_EQ(change(comparison, "offload=swap", "switch step").after, 19);
  EXPECT_NE(sentence_of(comparison)
                .find("old -> new (flow_shift 3 -> 12): the switch moves from step 10 to 19; the "
                      "total time changes beyond the repeats' spread in 1 of 2 configurations "
                      "(offload=swap -18.9 %)"),
            std::string::npos)
      << sentence_of(comparison);
}

TEST(Compare, TheLineageOfARerunOutranksTheSettings) {
  ComparedSweep before = sweep("old", 3, {10, 10, 10}, {11, 11, 11});
  const ComparedSweep after = sweep("new", 12, {10, 10, 10}, {9, 9, 9});
  before.replaced_by = {{"oldresident", "newswap"}};
  const Comparison comparison = compare_sweeps(before, after);
  ASSERT_EQ(comparison.configurations.size(), 1u);
  EXPECT_EQ(change(comparison, "offload=resident", "total").after, 9);
  EXPECT_EQ(comparison.only_before, 1u);
  EXPECT_EQ(comparison.only_after, 1u);
}

TEST(Compare, TwoRepeatsAreTooFewToSay) {
  const Comparison comparison = compare_sweeps(sweep("old", 3, {10, 10}, {11, 11}), sweep("new", 12, {5, 5}, {6, 6}));
  EXPECT_FALSE(change(comparison, "offload=swap", "total").interval);
  EXPECT_NE(sentence_of(comparison).find("the total time is undecided, with fewer than three repeats on a side"),
            std::string::npos);
  const Table table = table_of(comparison);
  EXPECT_EQ(std::get<std::string>(table.rows.at(0).back()), "too few repeats (2 and 2)");
  EXPECT_NE(text_of(comparison).find("too few repeats (2 and 2)"), std::string::npos);
}

TEST(Compare, SweepsWithNothingInCommonAreRefused) {
  ComparedSweep before = sweep("old", 3, {1, 1, 1}, {1, 1, 1});
  ComparedSweep after = sweep("new", 3, {1, 1, 1}, {1, 1, 1});
  for (auto& [hash, configuration] : after.configurations) configuration.settings["offload"] += "?";
  EXPECT_THROW(compare_sweeps(before, after), Error);
}

}  // namespace
}  // namespace wansweep
