// What a sweep's verdict says besides its headline and its cases: settings, unfinished and replaced runs, engines.

#include "orchestrator/answers/report/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text_table.h"
#include "orchestrator/answers/report/case_verdict.h"
#include "orchestrator/answers/report/headline.h"
#include "orchestrator/answers/report/ranking.h"
#include "orchestrator/answers/report/verdict_words.h"

namespace wansweep {
namespace {

// The sentence on latents when it is the same for every case, so that the page says it once. Empty when the cases
// differ, or there is only one.
std::string latents_of_all(const std::vector<CaseRanking>& rankings) {
  if (rankings.size() < 2) return {};
  const std::string first = latents_of(rankings[0]);
  const bool alike =
      std::all_of(rankings.begin(), rankings.end(), [&](const CaseRanking& r) { return latents_of(r) == first; });
  if (!alike || first.empty()) return {};
  return fmt::format("In every case {}{}", static_cast<char>(std::tolower(first[0])), first.substr(1));
}

std::string drift_text(const DriftFacts& drift, int64_t runs) {
  std::string text = fmt::format("{} of {} used {} {} (set by: {}); the model's official value is {}.", drift.runs,
                                 count_of(runs, "run"), drift.setting, drift.used, drift.origin, drift.official);
  if (drift.switch_used && drift.switch_official && drift.switch_used != drift.switch_official) {
    text += fmt::format(" Their experts switch at step {}; with the official settings they would switch at step {}.",
                        *drift.switch_used, *drift.switch_official);
  }
  return text;
}

// What is known of the runs' settings beside the model's official ones.
std::vector<std::string> settings_of(const VerdictFacts& facts) {
  std::vector<std::string> told;
  const bool rest_is_open = facts.uncatalogued > 0 || !facts.untold.empty();
  for (const DriftFacts& drift : facts.drifts) told.push_back(drift_text(drift, facts.runs));
  if (facts.official > 0 && rest_is_open) {
    told.push_back(
        fmt::format("{} of {} used the model's official settings.", facts.official, count_of(facts.runs, "run")));
  } else if (facts.official > 0 && facts.drifts.empty()) {
    told.emplace_back("All runs used the model's official settings.");
  }
  for (const UntoldFacts& u : facts.untold) {
    const std::string which =
        u.runs == 1 ? "run " + u.example
                    : fmt::format("{} of {}, for example {}", u.runs, count_of(facts.runs, "run"), u.example);
    told.push_back(fmt::format("Nobody told {} of {}: whether {} the model's official settings is not known.",
                               u.settings, which, u.runs == 1 ? "it used" : "they used"));
  }
  if (facts.uncatalogued > 0) {
    told.push_back(fmt::format(
        "The catalog does not list the model of {} of {}, so it is not known whether {} its official settings.",
        facts.uncatalogued, count_of(facts.runs, "run"), facts.uncatalogued == 1 ? "it used" : "they used"));
  }
  return told;
}

std::vector<std::string> remarks_of(const VerdictFacts& facts) {
  std::vector<std::string> remarks;
  if (!facts.cases.empty()) remarks = settings_of(facts);
  for (const UnfinishedFacts& u : facts.unfinished) {
    remarks.push_back(fmt::format("{} of {} {} no result ({}){} {}{}.", u.runs, count_of(facts.runs, "run"),
                                  u.runs == 1 ? "has" : "have", u.state, u.runs == 1 ? ":" : ", for example", u.example,
                                  u.problem.empty() ? "" : " (" + u.problem + ")"));
  }
  if (facts.replaced > 0) {
    remarks.push_back(fmt::format("{} {} replaced by a correction and {} not counted here.",
                                  count_of(facts.replaced, "run"), facts.replaced == 1 ? "was" : "were",
                                  facts.replaced == 1 ? "is" : "are"));
  }
  std::set<std::string> engines;
  for (const CaseFacts& one : facts.cases) engines.insert(one.engine);
  if (engines.size() > 1) {
    remarks.push_back(fmt::format(
        "The runs come from {} engines, {}; each case has one engine, and engines are not compared with each other.",
        engines.size(), list_of({engines.begin(), engines.end()})));
  }
  return remarks;
}

}  // namespace

SweepVerdict make_verdict(const VerdictFacts& facts) {
  SweepVerdict verdict;
  std::vector<CaseRanking> rankings;
  for (const CaseFacts& one : facts.cases) rankings.push_back(ranking_of(one));
  verdict.headline = headline_of(rankings);
  for (const CaseRanking& r : rankings) verdict.cases.push_back(case_verdict(r));
  if (!facts.shared_settings.empty()) {
    verdict.remarks.push_back(fmt::format("All ways that move weights ran with {}.", facts.shared_settings));
  }
  if (const std::string latents = latents_of_all(rankings); !latents.empty()) {
    for (SweepVerdict::Case& told : verdict.cases) told.sentences.pop_back();
    verdict.remarks.push_back(latents);
  }
  for (std::string& remark : remarks_of(facts)) verdict.remarks.push_back(std::move(remark));
  return verdict;
}

}  // namespace wansweep
