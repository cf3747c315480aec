#include "orchestrator/choose/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/orchestrator/predict/plain_machine.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

Question question() {
  Question question;
  question.model = "t2v-a14b";
  question.size = "832x480";
  question.frames = 81;
  question.ranks = {4};
  question.set = {"steps=9"};
  return question;
}

// A machine whose link is so uncertain that computing may or may not hide layerwise's copies.
Machine unsure() {
  Machine machine = plain();
  for (CopyRate& each : machine.links.copies) each.gb_per_second = {24, 12, 48, 5, "a link of many moods"};
  return machine;
}

std::vector<Ranking> ranked(const Machine& machine, const Question& asked, const MeasuredTotals& measured = {}) {
  const std::vector<OffloadWay> ways = ways_of(asked, machine);
  MemoryLimits limits = limits_of(machine);
  if (asked.device_memory_gib) limits.device = asked.device_memory_gib;
  return rank_ways(machine, ways, plan_of(asked, machine, ways), limits, measured);
}

size_t place_of(const Ranking& ranking, const std::string& way) {
  for (size_t i = 0; i < ranking.ways.size(); ++i) {
    if (ranking.ways[i].way.name == way) return i;
  }
  ADD_FAILURE() << "no way " << way;
  return 0;
}

const RankedWay& way_named(const Ranking& ranking, const std::string& way) {
  return ranking.ways[place_of(ranking, way)];
}

TEST(Choose, RanksTheWaysThatFitAndSaysOfTheOthersByHowMuchTheyDoNot) {
  Question asked = question();
  asked.device_memory_gib = 40;
  const Ranking ranking = ranked(plain(), asked).front();
  EXPECT_EQ(way_named(ranking, "resident").why_not, "needs 15.6 GiB more device memory a rank");
  EXPECT_EQ(way_named(ranking, "swap, pageable").why_not,
            "machine plain has no rate of copies to the device and pageable memory");
  EXPECT_LT(place_of(ranking, "snapshot, shared"), place_of(ranking, "swap"));
  EXPECT_EQ(ranking.ways.back().why_not.empty(), false);
  const size_t in_ranking = ranking.ways.size() - 2;
  EXPECT_EQ(ranking.pairs.size(), in_ranking * (in_ranking - 1) / 2);
}

// The difference of two ways is the difference of the totals by which they are ranked.
TEST(Choose, AMeasuredTotalBesideAPredictedOneIsComparedAsItIs) {
  const Ranking before = ranked(unsure(), question()).front();
  const RankedWay& layerwise = way_named(before, "layerwise");
  const Estimate& predicted = layerwise.prediction.of(Quantity::total);
  const double late = (predicted.value + predicted.high) / 2;
  const Ranking after = ranked(unsure(), question(), {{layerwise.config, {late, 1.01 * late, 0.99 * late}}}).front();
  const size_t place = place_of(after, "layerwise");
  ASSERT_GT(place, 0u) << "what was measured ranks it";
  const PairDecision& pair = *after.pair(0, place);
  EXPECT_EQ(pair.decision, Decision::better);
  EXPECT_FALSE(pair.measured);
  EXPECT_NEAR(pair.difference.value, after.ways[0].seconds - late, 1e-9);
  EXPECT_LT(pair.difference.low, pair.difference.value);
}

std::string text_of(const Machine& machine, const Question& asked, const std::vector<Ranking>& rankings) {
  return rankings_as_text({machine, "plain.toml", ""}, asked, rankings);
}

TEST(Choose, OnceAMeasuredWayLeftItsIntervalNoneIsDecidedAgainstAPrediction) {
  const Ranking before = ranked(plain(), question()).front();
  const RankedWay& resident = way_named(before, "resident");
  const double twice = 2 * resident.seconds;
  const std::vector<Ranking> after =
      ranked(plain(), question(), {{resident.config, {twice, 1.01 * twice, 0.99 * twice}}});
  const Ranking& ranking = after.front();
  EXPECT_EQ(ranking.pair(0, place_of(ranking, "resident"))->decision, Decision::not_decided);
  EXPECT_EQ(ranking.pair(0, place_of(ranking, "swap"))->decision, before.pair(0, place_of(before, "swap"))->decision)
      << "two predictions";
  EXPECT_NE(text_of(plain(), question(), after).find("Measured runs left their predicted intervals (resident with 4"),
            std::string::npos);
}

TEST(Choose, AWayThatMovesNothingIsResidentAndLeftOut) {
  Question asked = question();
  asked.device_memory_gib = 78;
  EXPECT_EQ(way_named(ranked(plain(), asked).front(), "planned, block order, shared").why_not,
            "in this memory it moves nothing while the loop runs, as resident");
  asked.device_memory_gib = 20;
  EXPECT_EQ(way_named(ranked(plain(), asked).front(), "planned, block order, shared").why_not, "");
}

TEST(Choose, TheTextSaysTheStepsAndWhoseNumbersItTook) {
  Question asked = question();
  asked.ranks = {2, 4};
  const std::string text = text_of(unsure(), asked, ranked(unsure(), asked));
  EXPECT_TRUE(text.starts_with("t2v-a14b, 832x480, 81 frames, 9 steps, on machine plain")) << text;
  EXPECT_NE(text.find("2 ranks were not probed on this machine; the numbers of 4 ranks are taken."), std::string::npos)
      << text;
  EXPECT_EQ(text.find("4 ranks were not probed"), std::string::npos) << text;
}

TEST(Choose, WhatCannotBeAskedIsRefusedWithoutAPlaceInAFileThatNobodyWrote) {
  Question asked = question();
  asked.model = "wan2.2";
  expect_error(ExitCode::bad_input,
               "MODEL is wan2.2: there is no such directory, and the catalog has no such id; it has wan2.1-t2v-1.3b, ",
               [&] { ranked(plain(), asked); });
  asked = question();
  asked.size = "720p";
  EXPECT_EQ(ranked(plain(), asked).front().why_none(),
            "size is 720p; give WIDTHxHEIGHT in pixels, for example 832x480");
  asked = question();
  asked.set = {"stepz=9"};
  expect_error(ExitCode::bad_input, "stepz", [&] { ranked(plain(), asked); });
}

TEST(Choose, WithSureNumbersEveryPairThatDiffersIsDecided) {
  const std::vector<Ranking> rankings = ranked(plain(), question());
  for (const PairDecision& pair : rankings.front().pairs) {
    EXPECT_EQ(pair.decision == Decision::not_decided, pair.difference.value == 0);
  }
}

const PairDecision& pair_of(const Ranking& ranking, const std::string& one, const std::string& other) {
  const size_t a = place_of(ranking, one), b = place_of(ranking, other);
  return *ranking.pair(std::min(a, b), std::max(a, b));
}

TEST(Choose, APairWhoseOrderChangesWithinTheSpreadOfTheMachineIsNotDecided) {
  const Ranking ranking = ranked(unsure(), question()).front();
  EXPECT_EQ(pair_of(ranking, "swap", "layerwise").decision, Decision::not_decided);
  EXPECT_EQ(pair_of(ranking, "swap", "snapshot, shared").decision, Decision::better) << "half the bytes on any link";
}

TEST(Choose, WhatWasMeasuredThriceGoesBeforeWhatIsPredicted) {
  const std::string swap = way_named(ranked(unsure(), question()).front(), "swap").config;
  const std::string layerwise = way_named(ranked(unsure(), question()).front(), "layerwise").config;
  MeasuredTotals measured{{swap, {20, 20.1, 20.2}}, {layerwise, {19, 19.1}}};
  EXPECT_FALSE(pair_of(ranked(unsure(), question(), measured).front(), "swap", "layerwise").measured) << "two are few";
  measured[layerwise].push_back(19.2);
  const Ranking ranking = ranked(unsure(), question(), measured).front();
  const PairDecision& pair = pair_of(ranking, "swap", "layerwise");
  EXPECT_TRUE(pair.measured);
  EXPECT_EQ(pair.decision, Decision::better) << "the first of the pair is the faster";
  EXPECT_EQ(ranking.ways[pair.first].way.name, "layerwise");
  EXPECT_DOUBLE_EQ(way_named(ranking, "swap").seconds, 20.1);
}

// Two ways, one of 100 s and one of `apart` seconds more. The prediction of each depends on an uncertain number of its
// own.
class Deciding : public testing::Test {
 protected:
  std::vector<Ranking> two(double apart, double each_unsure) {
    Ranking ranking;
    for (size_t i = 0; i < 2; ++i) {
      RankedWay way;
      way.way.name = i == 0 ? "one" : "other";
      way.seconds = 100 + apart * static_cast<double>(i);
      way.prediction.seconds[0] = {way.seconds, way.seconds - each_unsure, way.seconds + each_unsure};
      way.prediction.influences = {{&numbers_[i], -each_unsure, each_unsure}};
      ranking.ways.push_back(way);
    }
    const Estimate apart_by = difference(ranking.ways[0].prediction, ranking.ways[1].prediction);
    const bool decided = apart_by.high < 0;
    ranking.pairs = {{0, 1, decided ? Decision::better : Decision::not_decided, false, apart_by}};
    return {ranking};
  }
  Measured numbers_[2];
};

TEST_F(Deciding, RunsAllThatMayBeTheFastestAsOftenAsTheirDifferenceAsksFor) {
  const DecidingRuns far = deciding_runs(two(4, 5));
  EXPECT_EQ(far.ways.size(), 2U);
  EXPECT_EQ(far.repeats, 3) << "as few as the bootstrap takes";
  ASSERT_EQ(far.costs.size(), 1U);
  EXPECT_DOUBLE_EQ(far.costs[0].seconds, 3 * (100 + 104));
  const DecidingRuns near = deciding_runs(two(1, 5));  // 2 (1.96 / 1)^2
  EXPECT_EQ(near.repeats, 8);
  EXPECT_FALSE(near.may_not_suffice);
  const DecidingRuns nearer = deciding_runs(two(0.3, 5));
  EXPECT_EQ(nearer.repeats, 10);
  EXPECT_TRUE(nearer.may_not_suffice);
}

TEST_F(Deciding, OfWaysThatMayBeTheFastestTheTextNamesTheOneThatTakesLeastMemory) {
  std::vector<Ranking> rankings = two(1, 5);
  rankings[0].ways[0].prediction.device_bytes = int64_t{55} << 30;
  rankings[0].ways[1].prediction.device_bytes = int64_t{5} << 30;
  EXPECT_NE(
      text_of(plain(), question(), rankings)
          .find("Of the 2 ways that may be the fastest, place 2 (other) takes least device memory: 5 GiB a rank."),
      std::string::npos)
      << text_of(plain(), question(), rankings);
  EXPECT_EQ(text_of(plain(), question(), two(10, 5)).find("least device memory"), std::string::npos);
}

TEST_F(Deciding, RunsNothingWhereThePredictionDecidesOrTheWaysAreTheSame) {
  EXPECT_TRUE(deciding_runs(two(10, 5)).ways.empty());
  EXPECT_TRUE(deciding_runs(two(0, 0)).ways.empty());
}

TEST_F(Deciding, DoesNotAskAgainForRunsThatWereMeasuredAndDoNotDiffer) {
  std::vector<Ranking> rankings = two(0.1, 5);
  for (RankedWay& way : rankings[0].ways) way.measured = {99, 100, 101};
  rankings[0].pairs[0].measured = true;
  rankings[0].pairs[0].difference = {0, -2, 2};
  EXPECT_TRUE(deciding_runs(rankings).ways.empty());
}

TEST(Choose, TheRunsThatDecideAreThoseThatWereRanked) {
  const Ranking ranking = ranked(unsure(), question()).front();
  std::set<std::string> configs;
  std::vector<OffloadWay> some;
  for (const RankedWay& way : ranking.ways) {
    configs.insert(way.config);
    if (some.size() < 3) some.push_back(way.way);
  }
  const Plan plan = make_plan(parse_sweep(sweep_of(question(), unsure(), some, "choose", 5), "choose"));
  EXPECT_EQ(plan.problems(), 0U);
  EXPECT_EQ(plan.runs(), 15U);
  for (const PlannedConfiguration& c : plan.configurations) EXPECT_TRUE(configs.contains(c.hash)) << c.name;
}

TEST(Choose, ASettingForAllWaysNeedsItsValue) {
  Question asked = question();
  asked.set = {"steps"};
  expect_error(ExitCode::bad_input, "--set is steps; NAME=VALUE is needed", [&] { ranked(plain(), asked); });
}

}  // namespace
}  // namespace wansweep
