// A case counts for a way only where the repeats tell it from every other way; ties, cases with one way and cases
// without resident weights are left out of the figures, and "in 1 of 2 cases" says so.

#include "orchestrator/answers/report/headline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text_table.h"
#include "orchestrator/answers/report/verdict_words.h"

namespace wansweep {
namespace {

// The most names that one sentence lists.
constexpr size_t most_names = 3;

using Sentences = std::vector<std::string>;

void add(Sentences& sentences, const Sentences& more) {
  std::copy_if(more.begin(), more.end(), std::back_inserter(sentences),
               [](const std::string& sentence) { return !sentence.empty(); });
}

using Rankings = std::vector<const CaseRanking*>;

// "", " in both cases", " in 2 of 4 cases".
std::string in_cases(size_t some, size_t all) {
  if (all == 1) return {};
  if (some < all) return fmt::format(" in {} of {} cases", some, all);
  return all == 2 ? " in both cases" : fmt::format(" in all {} cases", all);
}

// The same at the beginning of a sentence.
std::string in_cases_first(size_t some, size_t all, const std::string& rest) {
  const std::string where = in_cases(some, all);
  return where.empty() ? rest : fmt::format("In{} {}", where.substr(3), rest);
}

// "4 ranks; 6 ranks", "5 cases".
std::string where_of(const std::vector<std::string>& cases) {
  return cases.size() > most_names ? count_of(static_cast<int64_t>(cases.size()), "case")
                                   : fmt::format("{}", fmt::join(cases, "; "));
}

std::string names_of_leaders(const CaseRanking& r) {
  std::vector<std::string> names;
  const std::vector<const WayFacts*> leaders = r.leaders();
  for (const WayFacts* way : leaders) {
    if (names.size() < most_names || leaders.size() == most_names + 1) names.push_back(way->name);
  }
  if (names.size() < leaders.size()) names.push_back(fmt::format("{} more ways", leaders.size() - names.size()));
  return list_of(names);
}

struct Range {
  double least, most;
};
Range range_of(const std::vector<double>& ratios) {
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return {*least, *most};
}

// What `way` takes compared with the resident runs, in every case that has both.
Sentences overhead_of(const std::string& way, const std::vector<CaseRanking>& rankings) {
  std::vector<double> stated, noise, single;  // the ratios of the medians
  const auto kind = [&](Apart told) -> std::vector<double>& {
    switch (told) {
      case Apart::yes:
        return stated;
      case Apart::no:
        return noise;
      case Apart::unknown:
        break;
    }
    return single;
  };
  for (const CaseRanking& r : rankings) {
    const auto found =
        std::find_if(r.moving.begin(), r.moving.end(), [&](const WayFacts* one) { return one->name == way; });
    if (r.resident == nullptr || found == r.moving.end()) continue;
    std::vector<double>& ratios = kind(apart((*found)->totals, r.resident->totals));
    ratios.push_back(time_of(**found) / time_of(*r.resident));
  }
  Sentences sentences;
  const auto state = [&](const std::vector<double>& ratios, const std::string& caveat) {
    if (ratios.empty()) return;
    const Range range = range_of(ratios);
    sentences.push_back(fmt::format(
        "Compared with both experts resident on the device, {} takes {}{}{}.", way, range_text(range.least, range.most),
        ratios.size() < rankings.size() ? in_cases(ratios.size(), rankings.size()) : "", caveat));
  };
  state(stated, "");
  state(single, " (single runs: whether that exceeds the spread is not known)");
  if (!noise.empty()) {
    const Range range = range_of(noise);
    sentences.push_back(in_cases_first(
        noise.size(), rankings.size(),
        fmt::format("{} cannot be told from both experts resident on the device: their repeats overlap (by the "
                    "medians it takes {}).",
                    way, range_text(range.least, range.most))));
  }
  return sentences;
}

// The peak of a rank over all cases, of the named ways and of resident.
std::string memory_of(const std::vector<const WayFacts*>& ways, const std::vector<CaseRanking>& rankings) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& name) {
    std::optional<double> peak;
    for (const CaseRanking& r : rankings) {
      for (const WayFacts& way : r.facts->ways) {
        if (way.name == name && way.device_peak) peak = std::max(peak.value_or(0), *way.device_peak);
      }
    }
    if (peak) parts.push_back(fmt::format("{} with {}", human_bytes(*peak), name));
  };
  for (size_t i = 0; i < std::min(ways.size(), most_names); ++i) add(ways[i]->name);
  const auto with_resident =
      std::find_if(rankings.begin(), rankings.end(), [](const CaseRanking& r) { return r.resident != nullptr; });
  if (!parts.empty() && with_resident != rankings.end()) add(with_resident->resident->name);
  return parts.empty() ? std::string() : fmt::format("The device memory of a rank peaks at {}.", list_of(parts));
}

// The fastest way of each mode that is not among the leaders nor the next, against the fastest way of all.
std::string other_modes(const CaseRanking& r) {
  std::set<std::optional<OffloadMode>> told;
  for (const WayFacts* way : r.leaders()) told.insert(way->mode);
  if (r.decided()) told.insert(r.moving[1]->mode);
  std::vector<std::string> parts;
  for (const WayFacts* way : r.moving) {
    if (told.insert(way->mode).second) {
      parts.push_back(fmt::format("{} takes {}", way->name, longer_text(time_of(*way), time_of(r.best()))));
    }
  }
  return parts.empty() ? std::string() : fmt::format("Compared with {}, {}.", r.best().name, list_of(parts));
}

// One case in which ways compete, of `all` cases.
Sentences of_one(const CaseRanking& r, size_t all) {
  if (r.decided()) {
    return {fmt::format("{} is the fastest way of moving weights{}; the next fastest, {}, takes {}.", r.best().name,
                        in_cases(1, all), r.moving[1]->name, range_text(r.lead(), r.lead())),
            other_modes(r)};
  }
  const bool overlap = apart(r.best().totals, r.moving[1]->totals) == Apart::no;
  return {fmt::format("{} are the fastest ways of moving weights{} and cannot be told apart: {}.", names_of_leaders(r),
                      in_cases(1, all), overlap ? "their repeats overlap" : "they took the same time"),
          other_modes(r)};
}

// The next fastest way's name when it is the same in all: ", layerwise,".
std::string next_of(const Rankings& decided) {
  const std::string next = decided[0]->moving[1]->name;
  const bool same =
      std::all_of(decided.begin(), decided.end(), [&](const CaseRanking* r) { return r->moving[1]->name == next; });
  return same ? fmt::format(", {},", next) : std::string();
}

// The cases that `decided` holds, when they have more than one winner.
std::string winners_of(const Rankings& decided, size_t all) {
  std::map<std::string, std::vector<std::string>> winners;  // by way: the cases that it wins
  for (const CaseRanking* r : decided) winners[r->best().name].push_back(r->facts->name);
  if (winners.size() == 1) return {};
  std::vector<std::string> parts;
  for (const auto& [way, where] : winners) {
    parts.push_back(fmt::format("{} in {} of {} ({})", way, where.size(), all, where_of(where)));
  }
  return fmt::format("Which way of moving weights is fastest depends on the case: {}.", list_of(parts));
}

// Cases in which the repeats do not tell the fastest ways apart.
std::string ties_of(const Rankings& ties, size_t all) {
  std::vector<std::string> cases;
  for (const CaseRanking* r : ties) cases.push_back(fmt::format("{}: {}", r->facts->name, names_of_leaders(*r)));
  return in_cases_first(ties.size(), all,
                        fmt::format("the repeats do not tell the fastest ways apart ({}).", where_of(cases)));
}

// Several cases in which ways compete.
Sentences of_several(const Rankings& contested, const std::vector<CaseRanking>& rankings) {
  Rankings decided, ties;
  for (const CaseRanking* r : contested) (r->decided() ? decided : ties).push_back(r);
  const size_t all = rankings.size();
  if (decided.empty()) return {"No way of moving weights is the fastest beyond noise.", ties_of(ties, all)};
  Sentences sentences{winners_of(decided, all)};
  if (sentences[0].empty()) {
    std::vector<double> leads;
    for (const CaseRanking* r : decided) leads.push_back(r->lead());
    const Range lead = range_of(leads);
    const WayFacts& best = decided[0]->best();
    sentences[0] = fmt::format("{} is the fastest way of moving weights{}; the next fastest{} takes {}{}.", best.name,
                               in_cases(decided.size(), all), next_of(decided), range_text(lead.least, lead.most),
                               decided.size() < all ? " there" : "");
    add(sentences, overhead_of(best.name, rankings));
    sentences.push_back(memory_of({&best}, rankings));
  }
  if (!ties.empty()) sentences.push_back(ties_of(ties, all));
  return sentences;
}

// The cases with one way of moving weights, and those with none, beside cases with several.
std::string uncontested_of(const std::vector<CaseRanking>& rankings) {
  std::vector<std::string> cases;
  for (const CaseRanking& r : rankings) {
    if (r.contested()) continue;
    cases.push_back(fmt::format("{}: only {}", r.facts->name, r.moving.empty() ? r.resident->name : r.best().name));
  }
  if (cases.empty()) return {};
  return in_cases_first(cases.size(), rankings.size(),
                        fmt::format("there is nothing to compare ({}).", where_of(cases)));
}

// No case has more than one way of moving weights.
Sentences of_none(const std::vector<CaseRanking>& rankings) {
  std::set<std::string> ways;
  const WayFacts* only = nullptr;
  for (const CaseRanking& r : rankings) {
    if (r.moving.empty()) continue;
    only = &r.best();
    ways.insert(only->name);
  }
  if (only == nullptr) return {"Only resident ran, which moves no weights: there is nothing to compare it with."};
  if (ways.size() > 1) {
    return {fmt::format("No two ways of moving weights ran in the same case: {} cannot be compared.",
                        list_of({ways.begin(), ways.end()}))};
  }
  Sentences sentences{fmt::format("{} is the only way of moving weights that ran.", only->name)};
  add(sentences, overhead_of(only->name, rankings));
  sentences.push_back(memory_of({only}, rankings));
  return sentences;
}

}  // namespace

std::vector<std::string> headline_of(const std::vector<CaseRanking>& rankings) {
  if (rankings.empty()) return {"No run is complete, so there is nothing to compare."};
  Rankings contested;
  for (const CaseRanking& r : rankings) {
    if (r.contested()) contested.push_back(&r);
  }
  Sentences headline;
  if (contested.empty()) {
    add(headline, of_none(rankings));
    return headline;
  }
  if (contested.size() == 1) {
    const CaseRanking& r = *contested[0];
    add(headline, of_one(r, rankings.size()));
    add(headline, overhead_of(r.best().name, rankings));
    add(headline, {memory_of(r.leaders(), rankings)});
  } else {
    add(headline, of_several(contested, rankings));
  }
  add(headline, {uncontested_of(rankings)});
  const bool unknown =
      std::any_of(contested.begin(), contested.end(), [](const CaseRanking* r) { return r->has_single_runs(); });
  if (unknown) {
    headline.insert(headline.begin() + 1, "Some ways ran only once, so the spread of their repeats is not known.");
  }
  return headline;
}

}  // namespace wansweep
