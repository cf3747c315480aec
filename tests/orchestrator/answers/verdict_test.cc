#include "orchestrator/answers/report/verdict.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

constexpr double gib = 1024.0 * 1024 * 1024;

WayFacts way(const std::string& name, std::vector<double> totals) {
  WayFacts facts;
  facts.name = name;
  facts.resident = name == "resident";
  facts.totals = std::move(totals);
  facts.latents = LatentsState::finite;
  facts.digests = {"d"};
  return facts;
}

VerdictFacts sweep_of(std::vector<CaseFacts> cases) {
  VerdictFacts facts;
  facts.cases = std::move(cases);
  facts.runs = 36;
  facts.catalog_knows = true;
  return facts;
}

CaseFacts case_of(const std::string& name, std::vector<WayFacts> ways) {
  return {name, "wansweep", {}, 27, std::move(ways)};
}

std::string told(const SweepVerdict& verdict, size_t i = 0) {
  std::string text;
  for (const std::string& sentence : verdict.cases.at(i).sentences) text += (text.empty() ? "" : " ") + sentence;
  return text;
}

TEST(Verdict, SaysWhichWayWonByHowMuchAndThatItIsMoreThanTheSpread) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {0.39, 0.391, 0.40}), way("layerwise", {0.91, 0.914, 0.92}),
                                    way("swap", {0.46, 0.468, 0.47})})}));
  EXPECT_EQ(verdict.headline,
            "swap is the fastest way of moving weights; the next fastest takes 95 % longer. Compared with both experts "
            "resident on the device, swap takes 20 % longer.");
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
  EXPECT_EQ(verdict.headline,
            "swap is the fastest way of moving weights in both cases; the next fastest takes 1.8 to 3.0 times as long. "
            "Compared with both experts resident on the device, swap takes 10 to 20 % longer.");
}

TEST(Verdict, WhereCasesDifferEachWinnerHasItsOwn) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10, 10}), way("layerwise", {20, 20})}),
                             case_of("6 ranks", {way("swap", {30, 30}), way("layerwise", {20, 20})})}));
  EXPECT_EQ(verdict.headline,
            "Which way of moving weights is fastest depends on the case: layerwise in 1 of 2 (6 ranks) and swap in 1 "
            "of 2 (4 ranks).");
}

TEST(Verdict, ATieIsNoVictory) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10.0, 10.4}), way("planned 8 GiB", {10.3, 10.5})})}));
  EXPECT_EQ(verdict.headline, "The two fastest ways of moving weights cannot be told apart: their repeats overlap.");
  EXPECT_EQ(
      told(verdict),
      "swap and planned 8 GiB tie: swap took 10.2 s (median of 2 runs); planned 8 GiB took 10.4 s (2 % longer). The "
      "spread of the repeats explains the difference between swap and planned 8 GiB. No run kept both experts on the "
      "device, so what moving them costs is not known. All ways computed the same latents, bit for bit.");
}

TEST(Verdict, ATieInOneCaseOfTwoIsNoVictoryThere) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10, 10}), way("layerwise", {22, 22})}),
                             case_of("6 ranks", {way("swap", {10, 20}), way("layerwise", {19, 21})})}));
  EXPECT_EQ(
      verdict.headline,
      "swap is the fastest way of moving weights in 1 of 2 cases; the next fastest takes 2.2 times as long there. In 1 "
      "of 2 cases the repeats do not tell the two fastest apart (6 ranks).");
}

TEST(Verdict, ALeadThatIsSmallInOneCaseIsPercentThere) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10, 10}), way("layerwise", {11, 11})}),
                             case_of("6 ranks", {way("swap", {10, 10}), way("layerwise", {25, 25})})}));
  EXPECT_EQ(verdict.headline,
            "swap is the fastest way of moving weights in both cases; the next fastest takes 10 % longer to 2.5 times "
            "as long.");
}

TEST(Verdict, WithoutRepeatsTheSpreadIsNotKnown) {
  const SweepVerdict verdict = make_verdict(
      sweep_of({case_of("4 ranks", {way("resident", {41.6}), way("swap", {43.45}), way("layerwise", {48.25})})}));
  EXPECT_NE(verdict.headline.find("Some ways ran only once, so the spread of their repeats is not known."),
            std::string::npos);
  EXPECT_EQ(
      told(verdict),
      "swap won with 43.5 s (one run); layerwise took 48.2 s (11 % longer). Without repeats it is not known "
      "whether that is more than noise. With both experts resident a run took 41.6 s: swap takes 4.4 % longer. All "
      "ways computed the same latents, bit for bit.");
}

TEST(Verdict, OneModeAloneIsComparedWithNothing) {
  const SweepVerdict verdict = make_verdict(sweep_of({case_of("4 ranks", {way("layerwise", {48.2, 48.3})})}));
  EXPECT_EQ(verdict.headline, "layerwise is the only way of moving weights that ran.");
  EXPECT_EQ(told(verdict).substr(0, 77),
            "layerwise is the only way of moving weights that ran: 48.2 s (median of 2 run");
}

TEST(Verdict, OneModeBesideResidentHasItsOverhead) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("resident", {10, 10}), way("swap", {11, 11})})}));
  EXPECT_EQ(verdict.headline,
            "swap is the only way of moving weights that ran. Compared with both experts resident on the device, swap "
            "takes 10 % longer.");
}

TEST(Verdict, ResidentAloneMovesNothing) {
  const SweepVerdict verdict = make_verdict(sweep_of({case_of("4 ranks", {way("resident", {10, 10})})}));
  EXPECT_EQ(verdict.headline, "Only resident ran, which moves no weights: there is nothing to compare it with.");
  EXPECT_EQ(told(verdict), "Only resident ran, which moves no weights: 10 s (median of 2 runs).");
}

TEST(Verdict, WaysOfDifferentCasesAreNotCompared) {
  const SweepVerdict verdict =
      make_verdict(sweep_of({case_of("4 ranks", {way("swap", {10})}), case_of("6 ranks", {way("layerwise", {5})})}));
  EXPECT_EQ(verdict.headline,
            "No two ways of moving weights ran in the same case: layerwise and swap cannot be compared.");
}

TEST(Verdict, NothingCompleteIsNothingToCompare) {
  const SweepVerdict verdict = make_verdict(VerdictFacts{});
  EXPECT_EQ(verdict.headline, "No run is complete, so there is nothing to compare.");
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

TEST(Verdict, MemoryAndTheSwitchOfExpertsAreOneSentenceEach) {
  CaseFacts one = case_of("4 ranks", {way("resident", {41.6}), way("swap", {43.5}), way("layerwise", {48.3})});
  one.switch_step = 19;
  one.ways[0].device_peak = 54.4395 * gib;
  one.ways[0].host_peak = 5.2 * gib;
  one.ways[1].device_peak = 27.77 * gib;
  one.ways[1].host_peak = 219.0 * gib;
  one.ways[0].spikes = {0.0054};
  one.ways[1].spikes = {1.8625};
  one.ways[2].spikes = {-0.05};
  const std::string text = told(make_verdict(sweep_of({one})));
  EXPECT_NE(text.find("Peak device memory: resident 54.4 GiB and swap 27.8 GiB; host memory of all ranks "
                      "together: resident 5.2 GiB and swap 219 GiB."),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find("The experts switch at step 19 of 27; that step is longer than the median step by "
                "1.86 s with swap (4.3 % of its run), and by less than 1 % of the run with resident and layerwise."),
      std::string::npos)
      << text;
}

TEST(Verdict, SettingsThatAreNotTheModelsOwnAreCounted) {
  VerdictFacts facts = sweep_of({case_of("4 ranks", {way("swap", {1})})});
  EXPECT_EQ(make_verdict(facts).remarks.at(0), "All runs used the model's official settings.");
  facts.drifts = {{"flow_shift", "3", "12", "user", 18, 10, 19}};
  EXPECT_EQ(make_verdict(facts).remarks.at(0),
            "18 of 36 runs used flow_shift 3 (set by: user); the model's official value is 12. Their experts switch at "
            "step 10; with the official settings they would switch at step 19.");
  facts.drifts.clear();
  facts.catalog_knows = false;
  EXPECT_EQ(make_verdict(facts).remarks.at(0),
            "The catalog does not list this model, so it is not known whether the runs used its official settings.");
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
