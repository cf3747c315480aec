#include "orchestrator/answers/report/verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "orchestrator/answers/report/ranking.h"
#include "orchestrator/answers/report/verdict_words.h"

namespace wansweep {
namespace {

constexpr double gib = 1024.0 * 1024 * 1024;

WayFacts way(const std::string& name, std::vector<double> totals) {
  WayFacts facts;
  facts.name = name;
  facts.mode = value_named<OffloadMode>(name.substr(0, name.find(' ')));
  facts.totals = std::move(totals);
  facts.latents = LatentsState::finite;
  facts.digests = {"d"};
  return facts;
}

VerdictFacts sweep_of(std::vector<CaseFacts> cases) {
  VerdictFacts facts;
  facts.cases = std::move(cases);
  facts.runs = 36;
  facts.official = facts.runs;
  return facts;
}

CaseFacts case_of(const std::string& name, std::vector<WayFacts> ways) {
  return {name, "wansweep", {}, 27, std::move(ways)};
}

// A column of a case's table, from the first line to the last.
std::vector<std::string> column(const SweepVerdict& verdict, const std::string& heading, size_t i = 0) {
  const VerdictTable& table = verdict.cases.at(i).table;
  const auto at = std::find(table.columns.begin(), table.columns.end(), heading) - table.columns.begin();
  std::vector<std::string> cells;
  for (const auto& row : table.rows) cells.push_back(row.at(static_cast<size_t>(at)));
  return cells;
}

std::string headline(const SweepVerdict& verdict) { return fmt::format("{}", fmt::join(verdict.headline, " ")); }

std::string told(const SweepVerdict& verdict, size_t i = 0) {
  std::string text;
  for (const std::string& sentence : verdict.cases.at(i).sentences) text += (text.empty() ? "" : " ") + sentence;
  return text;
}

TEST(Verdict, SaysWhichWayWonByHowMuchAndThatItIsMoreThanTheSpread) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {0.39, 0.391, 0.40}), way("layerwise", {0.91, 0.914, 0.92}),
                                    way("swap", {0.46, 0.468, 0.47})})}));
  EXPECT_EQ(headline(verdict),
            "swap is the fastest way of moving weights; the next fastest, layerwise, takes 95 % longer. Compared with "
            "both experts resident on the device, swap takes 20 % longer.");
  EXPECT_EQ(
      told(verdict),
      "swap won with 0.468 s (median of 3 runs); layerwise took 0.914 s (95 % longer). That exceeds the spread "
      "of the repeats. With both experts resident a run took 0.391 s: swap takes 20 % longer, more than the spread "
      "of the repeats. All ways computed the same latents, bit for bit.");
}

TEST(Verdict, OneWinnerInAllCasesIsSaidOnceWithItsRange) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {10, 10}), way("swap", {11, 11}), way("layerwise", {20, 20})}),
                case_of("6 ranks", {way("resident", {10, 10}), way("swap", {12, 12}), way("layerwise", {36, 36})})}));
  EXPECT_EQ(headline(verdict),
            "swap is the fastest way of moving weights in both cases; the next fastest, layerwise, takes 1.8 to 3.0 "
            "times as long. "
            "Compared with both experts resident on the device, swap takes 10 to 20 % longer.");
}

TEST(Verdict, WhereCasesDifferEachWinnerHasItsOwn) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10, 10}), way("layerwise", {20, 20})}),
                             case_of("6 ranks", {way("swap", {30, 30}), way("layerwise", {20, 20})})}));
  EXPECT_EQ(headline(verdict),
            "Which way of moving weights is fastest depends on the case: layerwise in 1 of 2 (6 ranks) and swap in 1 "
            "of 2 (4 ranks).");
}

TEST(Verdict, ATieIsNoVictory) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10.0, 10.4}), way("planned 8 GiB", {10.3, 10.5})})}));
  EXPECT_EQ(headline(verdict),
            "swap and planned 8 GiB are the fastest ways of moving weights and cannot be told apart: their repeats "
            "overlap.");
  EXPECT_EQ(
      told(verdict),
      "swap and planned 8 GiB tie, the fastest with 10.2 s (median of 2 runs). The spread of the repeats explains "
      "their "
      "difference. No run kept both experts on the device, so what moving them costs is not known. All ways computed "
      "the same latents, bit for bit.");
}

TEST(Verdict, ATieInOneCaseOfTwoIsNoVictoryThere) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10, 10}), way("layerwise", {22, 22})}),
                             case_of("6 ranks", {way("swap", {10, 20}), way("layerwise", {19, 21})})}));
  EXPECT_EQ(
      headline(verdict),
      "swap is the fastest way of moving weights in 1 of 2 cases; the next fastest, layerwise, takes 2.2 times as long "
      "there. In 1 of 2 cases the repeats do not tell the fastest ways apart (6 ranks: swap and layerwise).");
}

TEST(Verdict, ALeadThatIsSmallInOneCaseIsPercentThere) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10, 10}), way("layerwise", {11, 11})}),
                             case_of("6 ranks", {way("swap", {10, 10}), way("layerwise", {25, 25})})}));
  EXPECT_EQ(headline(verdict),
            "swap is the fastest way of moving weights in both cases; the next fastest, layerwise, takes 10 % longer "
            "to 2.5 times as long.");
}

TEST(Verdict, WithoutRepeatsTheSpreadIsNotKnown) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {41.6}), way("swap", {43.45}), way("layerwise", {48.25})})}));
  EXPECT_EQ(verdict.headline.at(1), "Some ways ran only once, so the spread of their repeats is not known.");
  EXPECT_EQ(
      told(verdict),
      "swap won with 43.5 s (one run); layerwise took 48.2 s (11 % longer). Without repeats it is not known "
      "whether that is more than noise. With both experts resident a run took 41.6 s: swap takes 4.4 % longer (single "
      "runs: whether that exceeds the spread is not known). All ways computed the same latents, bit for bit.");
}

TEST(Verdict, ADifferenceOfSingleRunsIsNeverStatedWithoutSayingSo) {
  const std::string swap =
      "Compared with both experts resident on the device, swap takes 48 % less time (single runs: whether that exceeds "
      "the spread is not known).";
  EXPECT_EQ(headline(make_verdict(sweep_of({case_of("4 ranks", {way("resident", {10}), way("swap", {5.2})})}))),
            "swap is the only way of moving weights that ran. " + swap);
  const SweepVerdict both =
      make_verdict(sweep_of({case_of("4 ranks", {way("resident", {10}), way("swap", {5.2}), way("layerwise", {6})})}));
  EXPECT_EQ(both.headline.at(1), "Some ways ran only once, so the spread of their repeats is not known.");
  EXPECT_EQ(both.headline.at(2), swap);
}

TEST(Verdict, OneModeAloneIsComparedWithNothing) {
  const SweepVerdict verdict = make_verdict(sweep_of({case_of("4 ranks", {way("layerwise", {48.2, 48.3})})}));
  EXPECT_EQ(headline(verdict), "layerwise is the only way of moving weights that ran.");
  EXPECT_EQ(told(verdict).substr(0, 77),
            "layerwise is the only way of moving weights that ran: 48.2 s (median of 2 run");
}

TEST(Verdict, OneModeBesideResidentHasItsOverhead) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("resident", {10, 10}), way("swap", {11, 11})})}));
  EXPECT_EQ(headline(verdict),
            "swap is the only way of moving weights that ran. Compared with both experts resident on the device, swap "
            "takes 10 % longer.");
}

TEST(Verdict, ResidentAloneMovesNothing) {
  const SweepVerdict verdict = make_verdict(sweep_of({case_of("4 ranks", {way("resident", {10, 10})})}));
  EXPECT_EQ(headline(verdict), "Only resident ran, which moves no weights: there is nothing to compare it with.");
  EXPECT_EQ(told(verdict), "Only resident ran, which moves no weights: 10 s (median of 2 runs).");
}

TEST(Verdict, WaysOfDifferentCasesAreNotCompared) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10})}), case_of("6 ranks", {way("layerwise", {5})})}));
  EXPECT_EQ(headline(verdict),
            "No two ways of moving weights ran in the same case: layerwise and swap cannot be compared.");
}

TEST(Verdict, NothingCompleteIsNothingToCompare) {
  const SweepVerdict verdict = make_verdict(VerdictFacts{});
  EXPECT_EQ(headline(verdict), "No run is complete, so there is nothing to compare.");
  EXPECT_TRUE(verdict.cases.empty());
  EXPECT_TRUE(verdict.remarks.empty());
}

TEST(Verdict, LatentsThatAreNotFiniteAreNamed) {
  CaseFacts one = case_of("4 ranks", {way("swap", {10, 10}), way("layerwise", {20, 20})});
  one.ways[1].latents = LatentsState::not_finite;
  EXPECT_NE(told(make_verdict(sweep_of({one})))
                .find("The latents of layerwise hold values that are infinite or not a number"),
            std::string::npos);
  one.ways[1].latents = LatentsState::unknown;
  EXPECT_NE(told(make_verdict(sweep_of({one}))).find("bit for bit; whether they are finite was not counted."),
            std::string::npos);
  one.ways[1].digests = {"another"};
  EXPECT_NE(told(make_verdict(sweep_of({one}))).find("The ways did NOT compute the same latents."), std::string::npos);
}

TEST(Verdict, WhatAllCasesSayOfTheirLatentsIsSaidOnce) {
  const std::vector<WayFacts> ways{way("swap", {10, 10}), way("layerwise", {20, 20})};
  const SweepVerdict verdict = make_verdict(sweep_of({case_of("4 ranks", ways), case_of("6 ranks", ways)}));
  EXPECT_EQ(verdict.remarks.at(0), "In every case all ways computed the same latents, bit for bit.");
  EXPECT_EQ(told(verdict).find("latents"), std::string::npos);
}

TEST(Verdict, MemoryAndTheSwitchOfExpertsAreColumnsOfTheTable) {
  CaseFacts one = case_of("4 ranks", {way("resident", {41.6}), way("swap", {43.5}), way("layerwise", {48.3})});
  one.switch_step = 19;
  one.ways[0].device_peak = 54.4395 * gib;
  one.ways[0].host_peak = 5.2 * gib;
  one.ways[1].device_peak = 27.77 * gib;
  one.ways[1].host_peak = 219.0 * gib;
  one.ways[0].spikes = {0.0054};
  one.ways[1].spikes = {1.8625};
  one.ways[2].spikes = {-0.05};
  const SweepVerdict verdict = make_verdict(sweep_of({one}));
  using Cells = std::vector<std::string>;
  EXPECT_EQ(column(verdict, "way"), (Cells{"resident", "swap", "layerwise"}));
  EXPECT_EQ(column(verdict, "one run"), (Cells{"41.6 s", "43.5 s", "48.3 s"}));
  EXPECT_EQ(column(verdict, "device memory of a rank"), (Cells{"54.4 GiB", "27.8 GiB", ""}));
  EXPECT_EQ(column(verdict, "host memory of all ranks"), (Cells{"5.2 GiB", "219 GiB", ""}));
  EXPECT_EQ(column(verdict, "the switch step adds"), (Cells{"under 1 %", "1.86 s (4.3 %)", "under 1 %"}));
  EXPECT_NE(told(verdict).find("The experts switch at step 19 of 27; that step is longer than the median step by up to "
                               "1.86 s with swap (4.3 % of its run)."),
            std::string::npos)
      << told(verdict);
  EXPECT_NE(
      headline(verdict).find("The device memory of a rank peaks at 27.8 GiB with swap and 54.4 GiB with resident."),
      std::string::npos)
      << headline(verdict);
}

TEST(Verdict, AColumnThatNoWayHasIsLeftOut) {
  EXPECT_EQ(make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10, 10})})})).cases.at(0).table.columns,
            (std::vector<std::string>{"way", "one run", "runs"}));
}

TEST(Verdict, EveryComparisonSaysWhetherTheRepeatsConfirmIt) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {9, 10.1}), way("swap", {10.0, 10.4}), way("planned", {10.3, 10.5}),
                                    way("layerwise", {20, 20}), way("snapshot", {11})})}));
  using Cells = std::vector<std::string>;
  EXPECT_EQ(column(verdict, "way"), (Cells{"resident", "swap", "planned", "snapshot", "layerwise"}));
  EXPECT_EQ(column(verdict, "beside the fastest"),
            (Cells{"", "fastest", "2 % longer (within the spread)", "7.8 % longer (spread unknown)", "96 % longer"}));
  EXPECT_EQ(column(verdict, "beside resident")[1], "6.8 % longer (within the spread)");
}

TEST(Verdict, TheHeadlineStatesNoOverheadThatTheRepeatsExplain) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("resident", {0.39, 0.615, 0.68}), way("swap", {0.5, 0.636, 0.78}),
                                                 way("layerwise", {1, 1})}),
                             case_of("6 ranks", {way("resident", {0.49, 0.494, 0.74}), way("swap", {0.58, 0.699, 0.88}),
                                                 way("layerwise", {1.5, 1.5})})}));
  EXPECT_EQ(headline(verdict),
            "swap is the fastest way of moving weights in both cases; the next fastest, layerwise, takes 1.6 to 2.1 "
            "times as long. In both cases swap cannot be told from both experts resident on the device: their repeats "
            "overlap (by the medians it takes 3.4 to 41 % longer).");
}

TEST(Verdict, TheHeadlineSaysInHowManyCasesAnOverheadIsMoreThanNoise) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {10, 12}), way("swap", {11, 13}), way("layerwise", {22, 22})}),
                case_of("6 ranks", {way("resident", {10, 10}), way("swap", {12, 12}), way("layerwise", {24, 24})}),
                case_of("8 ranks", {way("swap", {12, 12}), way("layerwise", {24, 24})})}));
  EXPECT_EQ(headline(verdict),
            "swap is the fastest way of moving weights in all 3 cases; the next fastest, layerwise, takes 1.8 to 2.0 "
            "times as long. Compared with both experts resident on the device, swap takes 20 % longer in 1 of 3 cases. "
            "In 1 of 3 cases swap cannot be told from both experts resident on the device: their repeats overlap (by "
            "the medians it takes 9.1 % longer).");
}

// As in the tables: also where another way is faster.
TEST(Verdict, TheHeadlineCountsEveryCaseThatHasTheWayAndResidentRuns) {
  const auto ranks = [](const std::string& name, double swap) {
    return case_of(name, {way("resident", {10, 18}), way("swap", {swap, swap + 0.2}), way("layerwise", {20, 20})});
  };
  CaseFacts tied = ranks("8 ranks", 16);
  tied.ways.push_back(way("planned", {15, 16.9}));
  const SweepVerdict verdict =
      make_verdict(sweep_of({ranks("2 ranks", 12), ranks("4 ranks", 12), ranks("6 ranks", 11), tied}));
  EXPECT_EQ(
      verdict.headline.at(1),
      "In all 4 cases swap cannot be told from both experts resident on the device: their repeats overlap (by the "
      "medians it takes 21 % less time to 15 % longer).");
}

TEST(Verdict, TheHeadlineNamesTiedWaysAndWhatEveryOtherModeTakes) {
  const SweepVerdict verdict = make_verdict(sweep_of({case_of(
      "4 ranks", {way("resident", {12.55, 12.62}), way("planned within 16 GiB", {12.58, 12.66}),
                  way("planned within 30 GiB", {12.61, 12.7}), way("planned within 5 GiB", {12.9, 12.9}),
                  way("layerwise", {13.2, 13.2}), way("swap", {14.4, 14.4}), way("swap (pageable)", {20, 20})})}));
  EXPECT_EQ(headline(verdict).substr(0, headline(verdict).find(" planned within 16 GiB cannot")),
            "planned within 16 GiB and planned within 30 GiB are the fastest ways of moving weights and cannot be told "
            "apart: their repeats overlap. Compared with planned within 16 GiB, layerwise takes 4.6 % longer and swap "
            "takes 14 % longer.");
}

TEST(Verdict, AWayThatRanInOneCaseOfTwoIsNotFastestInBoth) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {10, 10}), way("swap", {14.1, 14.1}), way("layerwise", {20, 20})}),
                case_of("6 ranks", {way("resident", {10, 10}), way("layerwise", {20, 20})})}));
  EXPECT_EQ(
      headline(verdict),
      "swap is the fastest way of moving weights in 1 of 2 cases; the next fastest, layerwise, takes 42 % longer. "
      "Compared with both experts resident on the device, swap takes 41 % longer in 1 of 2 cases. In 1 of 2 "
      "cases there is nothing to compare (6 ranks: only layerwise).");
}

TEST(Verdict, SettingsThatAllWaysShareAreSaidOnce) {
  VerdictFacts facts = sweep_of({case_of("4 ranks", {way("swap", {1, 1})})});
  facts.shared_settings = "host_store shared";
  EXPECT_EQ(make_verdict(facts).remarks.at(0), "All ways that move weights ran with host_store shared.");
}

TEST(Verdict, SettingsThatAreNotTheModelsOwnAreCounted) {
  VerdictFacts facts = sweep_of({case_of("4 ranks", {way("swap", {1})})});
  EXPECT_EQ(make_verdict(facts).remarks.at(0), "All runs used the model's official settings.");
  facts.drifts = {{"flow_shift", "3", "12", "user", 18, 10, 19}};
  EXPECT_EQ(make_verdict(facts).remarks.at(0),
            "18 of 36 runs used flow_shift 3 (set by: user); the model's official value is 12. Their experts switch at "
            "step 10; with the official settings they would switch at step 19.");
  facts.drifts.clear();
  facts.official = 0;
  facts.uncatalogued = 36;
  EXPECT_EQ(make_verdict(facts).remarks.at(0),
            "The catalog does not list the model of 36 of 36 runs, so it is not known whether they used its official "
            "settings.");
}

TEST(Verdict, RunsOfWhichNobodyToldTheSettingsAreNotCalledOfficial) {
  VerdictFacts facts = sweep_of({case_of("4 ranks", {way("swap", {1})})});
  facts.runs = 4;
  facts.official = 1;
  facts.untold = {{"flow_shift, guidance_scale", 2, "cpu-1"}, {"flow_shift, guidance_scale, model_id", 1, "h100"}};
  EXPECT_EQ(make_verdict(facts).remarks,
            (std::vector<std::string>{"1 of 4 runs used the model's official settings.",
                                      "Nobody told flow_shift, guidance_scale of 2 of 4 runs, for example cpu-1: "
                                      "whether they used the model's official settings is not known.",
                                      "Nobody told flow_shift, guidance_scale, model_id of run h100: whether it used "
                                      "the model's official settings is not known."}));
}

TEST(Verdict, UnfinishedAndReplacedRunsAreCounted) {
  VerdictFacts facts = sweep_of({case_of("4 ranks", {way("swap", {1})})});
  facts.unfinished = {{"failed", 1, "r4-swap-1", "the device has 80 GiB"}, {"not started", 2, "r6-swap-1", ""}};
  facts.replaced = 12;
  const std::vector<std::string> remarks = make_verdict(facts).remarks;
  ASSERT_EQ(remarks.size(), 4u);
  EXPECT_EQ(remarks[1], "1 of 36 runs has no result (failed): r4-swap-1 (the device has 80 GiB).");
  EXPECT_EQ(remarks[2], "2 of 36 runs have no result (not started), for example r6-swap-1.");
  EXPECT_EQ(remarks[3], "12 runs were replaced by a correction and are not counted here.");
}

TEST(Verdict, EnginesAreNamedAndNotMixed) {
  VerdictFacts facts =
      sweep_of({case_of("4 ranks, engine sglang", {way("swap", {1})}), case_of("4 ranks", {way("swap", {1})})});
  facts.cases[0].engine = "sglang";
  EXPECT_EQ(make_verdict(facts).remarks.back(),
            "The runs come from 2 engines, sglang and wansweep; each case has one engine, and engines are not compared "
            "with each other.");
}

TEST(Verdict, TimesAndRatiosAreShort) {
  EXPECT_EQ(seconds_text(1234.5), "1234 s");
  EXPECT_EQ(seconds_text(41.647), "41.6 s");
  EXPECT_EQ(seconds_text(0.0442), "44.2 ms");
  EXPECT_EQ(longer_text(99.7, 50), "99 % longer");
  EXPECT_EQ(longer_text(125, 50), "2.5 times as long");
  EXPECT_EQ(longer_text(48, 50), "4 % less time");
  EXPECT_EQ(longer_text(50, 50), "as long");
}

TEST(Verdict, RepeatsTellTwoSamplesApartWhenTheyDoNotOverlap) {
  EXPECT_EQ(apart({1, 2}, {3, 4}), Apart::yes);
  EXPECT_EQ(apart({3, 4}, {1, 2}), Apart::yes);
  EXPECT_EQ(apart({1, 3}, {2, 4}), Apart::no);
  EXPECT_EQ(apart({1}, {3, 4}), Apart::unknown);
}

}  // namespace
}  // namespace wansweep
