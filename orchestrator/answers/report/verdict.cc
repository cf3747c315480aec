// Each sentence has a function, which returns an empty text when there is nothing to say. A sentence stands by itself,
// so that it can be quoted alone. Times are medians of the repeats. Two ways differ when no repeat of one is as fast as
// any repeat of the other, as in the query offload_comparison.

#include "orchestrator/answers/report/verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "base/text_table.h"
#include "orchestrator/answers/bootstrap.h"

namespace wansweep {
namespace {

// A switch step that takes a smaller share of the run than this gets no figure.
constexpr double least_spike_share = 0.01;
// The most names that one sentence lists.
constexpr size_t most_names = 3;

double time_of(const WayFacts& way) { return median(way.totals); }

// "a", "a and b", "a, b and c".
std::string list_of(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  if (words.size() == 1) return words[0];
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

std::string count_of(int64_t n, const std::string& thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

std::string percent_text(double share) {
  const double percent = 100 * std::abs(share);
  return percent < 9.95 ? fmt::format("{:.2g} %", percent) : fmt::format("{:.0f} %", percent);
}

// "10 to 23 % longer", "1.8 to 2.8 times as long".
std::string range_text(double least, double most) {
  const std::string from = longer_text(least, 1), to = longer_text(most, 1);
  if (from == to) return from;
  if (least > 1 && most < 2) return fmt::format("{:.2g} to {:.2g} % longer", 100 * (least - 1), 100 * (most - 1));
  if (least > 1.5) return fmt::format("{:.1f} to {:.1f} times as long", least, most);
  return fmt::format("{} to {}", from, to);
}

// The ways of a case: those that move weights, the fastest first, and the baseline.
struct Ranking {
  const CaseFacts* facts = nullptr;
  std::vector<const WayFacts*> moving;
  const WayFacts* resident = nullptr;

  bool contested() const { return moving.size() > 1; }
  Apart lead() const { return apart(moving[0]->totals, moving[1]->totals); }
  double lead_ratio() const { return time_of(*moving[1]) / time_of(*moving[0]); }
};

Ranking rank(const CaseFacts& facts) {
  Ranking ranking{&facts, {}, nullptr};
  for (const WayFacts& way : facts.ways) {
    if (!way.resident) {
      ranking.moving.push_back(&way);
    } else if (ranking.resident == nullptr || time_of(way) < time_of(*ranking.resident)) {
      ranking.resident = &way;
    }
  }
  std::stable_sort(ranking.moving.begin(), ranking.moving.end(),
                   [](const WayFacts* a, const WayFacts* b) { return time_of(*a) < time_of(*b); });
  return ranking;
}

std::string runs_of(const WayFacts& way) {
  return way.totals.size() == 1 ? "one run" : fmt::format("median of {} runs", way.totals.size());
}

// --- sentences on one case

std::string who_won(const Ranking& r) {
  if (r.moving.empty()) {
    return fmt::format("Only resident ran, which moves no weights: {} ({}).", seconds_text(time_of(*r.resident)),
                       runs_of(*r.resident));
  }
  const WayFacts& best = *r.moving[0];
  const std::string time = fmt::format("{} ({})", seconds_text(time_of(best)), runs_of(best));
  if (!r.contested()) return fmt::format("{} is the only way of moving weights that ran: {}.", best.name, time);
  std::vector<std::string> others;
  for (const WayFacts* way : r.moving) {
    if (way == &best) continue;
    others.push_back(fmt::format("{} took {} ({})", way->name, seconds_text(time_of(*way)),
                                 longer_text(time_of(*way), time_of(best))));
  }
  const bool tied = r.lead() == Apart::no || r.lead_ratio() == 1;
  return fmt::format("{} {} {}; {}.", best.name, tied ? "and " + r.moving[1]->name + " tie:" : "won with",
                     tied ? best.name + " took " + time : time, list_of(others));
}

// Whether the repeats tell the winner from each other way.
std::string beyond_spread(const Ranking& r) {
  if (!r.contested()) return {};
  std::vector<std::string> within, unknown;
  for (size_t i = 1; i < r.moving.size(); ++i) {
    const Apart told = apart(r.moving[0]->totals, r.moving[i]->totals);
    if (told == Apart::no) within.push_back(r.moving[i]->name);
    if (told == Apart::unknown) unknown.push_back(r.moving[i]->name);
  }
  const size_t others = r.moving.size() - 1;
  const std::string best = r.moving[0]->name;
  if (unknown.size() == others) {
    return "Without repeats it is not known whether that is more than noise.";
  }
  std::string text;
  if (within.empty() && unknown.empty()) {
    text =
        others == 1 ? "That exceeds the spread of the repeats." : "These differences exceed the spread of the repeats.";
  } else if (!within.empty()) {
    text = fmt::format("The spread of the repeats explains the difference between {} and {}.", best, list_of(within));
  }
  if (!unknown.empty()) {
    text += fmt::format("{}{} ran only once, so whether the difference from {} is more than noise is not known.",
                        text.empty() ? "" : " ", list_of(unknown), best);
  }
  return text;
}

std::string against_resident(const Ranking& r) {
  if (r.moving.empty()) return {};
  if (r.resident == nullptr) return "No run kept both experts on the device, so what moving them costs is not known.";
  const WayFacts& best = *r.moving[0];
  std::string text =
      fmt::format("With both experts resident a run took {}: {} takes {}", seconds_text(time_of(*r.resident)),
                  best.name, longer_text(time_of(best), time_of(*r.resident)));
  switch (apart(best.totals, r.resident->totals)) {
    case Apart::yes:
      return text + ", more than the spread of the repeats.";
    case Apart::no:
      return text + ", which the spread of the repeats explains.";
    case Apart::unknown:
      return text + ".";
  }
  return text;
}

std::string memory_of(const Ranking& r) {
  std::vector<std::string> device, host;
  const auto add = [&](const WayFacts& way) {
    if (way.device_peak) device.push_back(fmt::format("{} {}", way.name, human_bytes(*way.device_peak)));
    if (way.host_peak) host.push_back(fmt::format("{} {}", way.name, human_bytes(*way.host_peak)));
  };
  if (r.resident != nullptr) add(*r.resident);
  for (const WayFacts* way : r.moving) add(*way);
  std::string text;
  if (!device.empty()) text = fmt::format("Peak device memory: {}", list_of(device));
  if (!host.empty()) {
    text += fmt::format("{} of all ranks together: {}", text.empty() ? "Host memory" : "; host memory", list_of(host));
  }
  return text.empty() ? text : text + ".";
}

std::string switch_of(const Ranking& r) {
  if (!r.facts->switch_step) return {};
  std::vector<std::string> dear, cheap;
  for (const WayFacts& way : r.facts->ways) {
    if (way.spikes.empty()) continue;
    const double spike = median(way.spikes);
    const double share = spike / time_of(way);
    if (share < least_spike_share) {
      cheap.push_back(way.name);
    } else {
      dear.push_back(fmt::format("{} with {} ({} of its run)", seconds_text(spike), way.name, percent_text(share)));
    }
  }
  if (dear.empty() && cheap.empty()) return {};
  const std::string where = fmt::format("The experts switch at step {} of {}", *r.facts->switch_step, r.facts->steps);
  if (dear.empty()) return fmt::format("{}, which takes less than 1 % of the run with every way.", where);
  return fmt::format(
      "{}; that step is longer than the median step by {}{}.", where, list_of(dear),
      cheap.empty() ? std::string() : fmt::format(", and by less than 1 % of the run with {}", list_of(cheap)));
}

std::string latents_of(const Ranking& r) {
  std::vector<std::string> broken;
  std::set<std::string> digests;
  bool counted = true;
  for (const WayFacts& way : r.facts->ways) {
    if (way.latents == LatentsState::not_finite) broken.push_back(way.name);
    counted = counted && way.latents == LatentsState::finite;
    digests.insert(way.digests.begin(), way.digests.end());
  }
  if (!broken.empty()) {
    return fmt::format(
        "The latents of {} hold values that are infinite or not a number: the times are valid, but no video can be "
        "made of these latents.",
        list_of(broken));
  }
  if (digests.empty() || r.facts->ways.size() < 2) return {};
  if (digests.size() > 1) return "The ways did NOT compute the same latents.";
  return counted ? "All ways computed the same latents, bit for bit."
                 : "All ways computed the same latents, bit for bit; whether they are finite was not counted.";
}

// --- sentences on all cases

// "with 4 ranks, flow_shift 12".
std::string where_of(const std::vector<std::string>& cases) {
  return cases.size() > most_names ? count_of(static_cast<int64_t>(cases.size()), "case")
                                   : fmt::format("{}", fmt::join(cases, "; "));
}

// What `way` takes compared with the resident runs, in the cases where it is the fastest.
std::string overhead_of(const std::string& way, const std::vector<Ranking>& rankings) {
  std::vector<double> ratios;
  for (const Ranking& r : rankings) {
    if (r.resident == nullptr || r.moving.empty() || r.moving[0]->name != way) continue;
    ratios.push_back(time_of(*r.moving[0]) / time_of(*r.resident));
  }
  if (ratios.empty()) return {};
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return fmt::format(" Compared with both experts resident on the device, {} takes {}.", way,
                     range_text(*least, *most));
}

// "", " in both cases", " in 2 of 4 cases".
std::string in_cases(size_t some, size_t all) {
  if (all == 1) return {};
  if (some < all) return fmt::format(" in {} of {} cases", some, all);
  return all == 2 ? " in both cases" : fmt::format(" in all {} cases", all);
}

std::string headline_of(const std::vector<Ranking>& rankings) {
  if (rankings.empty()) return "No run is complete, so there is nothing to compare.";
  std::vector<const Ranking*> contested;
  std::set<std::string> ways;
  for (const Ranking& r : rankings) {
    if (r.contested()) contested.push_back(&r);
    for (const WayFacts* way : r.moving) ways.insert(way->name);
  }
  if (ways.empty()) return "Only resident ran, which moves no weights: there is nothing to compare it with.";
  if (contested.empty()) {
    const std::vector<std::string> names(ways.begin(), ways.end());
    return ways.size() == 1 ? fmt::format("{} is the only way of moving weights that ran.{}", names[0],
                                          overhead_of(names[0], rankings))
                            : fmt::format("No two ways of moving weights ran in the same case: {} cannot be compared.",
                                          list_of(names));
  }
  std::map<std::string, std::vector<std::string>> winners;  // by way: the cases that it wins
  std::vector<std::string> ties;
  std::vector<double> leads;  // the second's time over the first's, in each case that is no tie
  bool unknown = false;
  for (const Ranking* r : contested) {
    winners[r->moving[0]->name].push_back(r->facts->name);
    unknown = unknown || r->lead() == Apart::unknown;
    if (r->lead() == Apart::no || r->lead_ratio() == 1) {
      ties.push_back(r->facts->name);
    } else {
      leads.push_back(r->lead_ratio());
    }
  }
  const size_t cases = contested.size();
  std::string text;
  if (leads.empty()) {
    text = fmt::format("The two fastest ways of moving weights cannot be told apart{}: their repeats overlap.",
                       cases == 1 ? "" : " in any case");
  } else if (winners.size() == 1) {
    const std::string& winner = winners.begin()->first;
    const auto [least, most] = std::minmax_element(leads.begin(), leads.end());
    text = fmt::format("{} is the fastest way of moving weights{}; the next fastest takes {}{}.{}", winner,
                       in_cases(leads.size(), cases), range_text(*least, *most), ties.empty() ? "" : " there",
                       overhead_of(winner, rankings));
  } else {
    std::vector<std::string> parts;
    for (const auto& [way, where] : winners) {
      parts.push_back(fmt::format("{} in {} of {} ({})", way, where.size(), cases, where_of(where)));
    }
    text = fmt::format("Which way of moving weights is fastest depends on the case: {}.", list_of(parts));
  }
  if (!ties.empty() && !leads.empty()) {
    text += fmt::format(" In {} of {} cases the repeats do not tell the two fastest apart ({}).", ties.size(), cases,
                        where_of(ties));
  }
  if (unknown) text += " Some ways ran only once, so the spread of their repeats is not known.";
  return text;
}

// The sentence on latents when it is the same for every case, so that the page says it once. Empty when the cases
// differ, or there is only one.
std::string latents_of_all(const std::vector<Ranking>& rankings) {
  if (rankings.size() < 2) return {};
  const std::string first = latents_of(rankings[0]);
  const bool alike =
      std::all_of(rankings.begin(), rankings.end(), [&](const Ranking& r) { return latents_of(r) == first; });
  if (!alike || first.empty()) return {};
  return fmt::format("In every case {}{}", static_cast<char>(std::tolower(first[0])), first.substr(1));
}

// --- remarks on the sweep

std::string drift_text(const DriftFacts& drift, int64_t runs) {
  std::string text = fmt::format("{} of {} used {} {} (set by: {}); the model's official value is {}.", drift.runs,
                                 count_of(runs, "run"), drift.setting, drift.used, drift.origin, drift.official);
  if (drift.switch_used && drift.switch_official && drift.switch_used != drift.switch_official) {
    text += fmt::format(" Their experts switch at step {}; with the official settings they would switch at step {}.",
                        *drift.switch_used, *drift.switch_official);
  }
  return text;
}

std::vector<std::string> remarks_of(const VerdictFacts& facts) {
  std::vector<std::string> remarks;
  for (const DriftFacts& drift : facts.drifts) remarks.push_back(drift_text(drift, facts.runs));
  if (facts.drifts.empty() && !facts.cases.empty()) {
    remarks.emplace_back(facts.catalog_knows
                             ? "All runs used the model's official settings."
                             : "The catalog does not list this model, so it is not known whether the runs "
                               "used its official settings.");
  }
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

Apart apart(const std::vector<double>& one, const std::vector<double>& other) {
  if (one.size() < 2 || other.size() < 2) return Apart::unknown;
  const auto [one_low, one_high] = std::minmax_element(one.begin(), one.end());
  const auto [other_low, other_high] = std::minmax_element(other.begin(), other.end());
  return *one_high < *other_low || *other_high < *one_low ? Apart::yes : Apart::no;
}

std::string seconds_text(double seconds) {
  if (std::abs(seconds) >= 999.5) return fmt::format("{:.0f} s", seconds);
  if (std::abs(seconds) >= 0.0995) return fmt::format("{:.3g} s", seconds);
  return fmt::format("{:.3g} ms", 1000 * seconds);
}

std::string longer_text(double other, double base) {
  const double ratio = other / base;
  if (ratio >= 2) return fmt::format("{:.1f} times as long", ratio);
  if (std::abs(ratio - 1) < 0.0005) return "as long";
  return fmt::format("{} {}", percent_text(ratio - 1), ratio > 1 ? "longer" : "less time");
}

SweepVerdict make_verdict(const VerdictFacts& facts) {
  SweepVerdict verdict;
  std::vector<Ranking> rankings;
  for (const CaseFacts& one : facts.cases) rankings.push_back(rank(one));
  verdict.headline = headline_of(rankings);
  for (const Ranking& r : rankings) {
    SweepVerdict::Case told{r.facts->name, {}};
    for (std::string& sentence : std::vector<std::string>{who_won(r), beyond_spread(r), against_resident(r),
                                                          memory_of(r), switch_of(r), latents_of(r)}) {
      if (!sentence.empty()) told.sentences.push_back(std::move(sentence));
    }
    verdict.cases.push_back(std::move(told));
  }
  if (const std::string latents = latents_of_all(rankings); !latents.empty()) {
    for (SweepVerdict::Case& told : verdict.cases) told.sentences.pop_back();
    verdict.remarks.push_back(latents);
  }
  for (std::string& remark : remarks_of(facts)) verdict.remarks.push_back(std::move(remark));
  return verdict;
}

}  // namespace wansweep
