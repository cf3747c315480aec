// Each sentence has a function, which returns an empty text when there is nothing to say. A sentence stands by itself,
// so that it can be quoted alone. What is known of every way is in the table; a sentence names two ways at most, or
// those that tie.

#include "orchestrator/answers/report/case_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/text_table.h"
#include "orchestrator/answers/bootstrap.h"
#include "orchestrator/answers/report/verdict_words.h"

namespace wansweep {
namespace {

// A switch step that takes a smaller share of the run than this gets no figure.
constexpr double least_spike_share = 0.01;

std::string runs_of(const WayFacts& way) {
  return way.totals.size() == 1 ? "one run" : fmt::format("median of {} runs", way.totals.size());
}

std::string time_and_runs_of(const WayFacts& way) {
  return fmt::format("{} ({})", seconds_text(time_of(way)), runs_of(way));
}

std::vector<std::string> names_of_ways(const std::vector<const WayFacts*>& ways) {
  std::vector<std::string> names;
  for (const WayFacts* way : ways) names.push_back(way->name);
  return names;
}

std::string who_won(const CaseRanking& r) {
  if (r.moving.empty()) {
    return fmt::format("Only resident ran, which moves no weights: {}.", time_and_runs_of(*r.resident));
  }
  const WayFacts& best = r.best();
  if (!r.contested()) {
    return fmt::format("{} is the only way of moving weights that ran: {}.", best.name, time_and_runs_of(best));
  }
  if (!r.decided()) {
    return fmt::format("{} tie, the fastest with {}.", list_of(names_of_ways(r.leaders())), time_and_runs_of(best));
  }
  const WayFacts& next = *r.moving[1];
  return fmt::format("{} won with {}; {}{} took {} ({}).", best.name, time_and_runs_of(best),
                     r.moving.size() > 2 ? "the next fastest, " : "", next.name + (r.moving.size() > 2 ? "," : ""),
                     seconds_text(time_of(next)), longer_text(time_of(next), time_of(best)));
}

// Whether the repeats tell the winner from each other way.
std::string beyond_spread(const CaseRanking& r) {
  if (!r.contested()) return {};
  std::vector<std::string> within, unknown;
  for (size_t i = 1; i < r.moving.size(); ++i) {
    const Apart told = apart(r.best().totals, r.moving[i]->totals);
    if (told == Apart::no) within.push_back(r.moving[i]->name);
    if (told == Apart::unknown) unknown.push_back(r.moving[i]->name);
  }
  const size_t others = r.moving.size() - 1;
  const std::string best = r.best().name;
  if (unknown.size() == others) return "Without repeats it is not known whether that is more than noise.";
  std::string text;
  if (!within.empty()) {
    text = within.size() == 1 ? "The spread of the repeats explains their difference."
                              : "The spread of the repeats explains their differences.";
  } else if (unknown.empty()) {
    text = others == 1 ? "That exceeds the spread of the repeats."
                       : fmt::format("Every other way's difference from {} exceeds the spread of the repeats.", best);
  }
  if (!unknown.empty()) {
    text += fmt::format("{}{} ran only once, so whether the difference from {} is more than noise is not known.",
                        text.empty() ? "" : " ", list_of(unknown), best);
  }
  return text;
}

std::string against_resident(const CaseRanking& r) {
  if (r.moving.empty()) return {};
  if (r.resident == nullptr) return "No run kept both experts on the device, so what moving them costs is not known.";
  const WayFacts& best = r.best();
  std::string text =
      fmt::format("With both experts resident a run took {}: {} takes {}", seconds_text(time_of(*r.resident)),
                  best.name, longer_text(time_of(best), time_of(*r.resident)));
  switch (apart(best.totals, r.resident->totals)) {
    case Apart::yes:
      return text + ", more than the spread of the repeats.";
    case Apart::no:
      return text + ", which the spread of the repeats explains.";
    case Apart::unknown:
      return text + " (single runs: whether that exceeds the spread is not known).";
  }
  return text;
}

// The share of its run by which a way's switch step exceeds its median step.
std::optional<double> spike_share(const WayFacts& way) {
  if (way.spikes.empty()) return std::nullopt;
  return median(way.spikes) / time_of(way);
}

std::string switch_of(const CaseRanking& r) {
  if (!r.facts->switch_step) return {};
  const WayFacts* worst = nullptr;
  for (const WayFacts& way : r.facts->ways) {
    if (!way.spikes.empty() && (worst == nullptr || median(way.spikes) > median(worst->spikes))) worst = &way;
  }
  if (worst == nullptr) return {};
  const std::string where = fmt::format("The experts switch at step {} of {}", *r.facts->switch_step, r.facts->steps);
  if (*spike_share(*worst) < least_spike_share) {
    return fmt::format("{}, which takes less than 1 % of the run with every way.", where);
  }
  return fmt::format("{}; that step is longer than the median step by {}{} with {} ({} of its run).", where,
                     r.facts->ways.size() > 1 ? "up to " : "", seconds_text(median(worst->spikes)), worst->name,
                     percent_text(*spike_share(*worst)));
}

// --- the table

// "14 % longer", with a word on whether the repeats confirm it.
std::string compared(const WayFacts& way, const WayFacts& base) {
  const std::string text = longer_text(time_of(way), time_of(base));
  switch (apart(way.totals, base.totals)) {
    case Apart::yes:
      return text;
    case Apart::no:
      return text + " (within the spread)";
    case Apart::unknown:
      return text + " (spread unknown)";
  }
  return text;
}

std::string spike_of(const WayFacts& way) {
  const std::optional<double> share = spike_share(way);
  if (!share) return {};
  return *share < least_spike_share ? "under 1 %"
                                    : fmt::format("{} ({})", seconds_text(median(way.spikes)), percent_text(*share));
}

std::string bytes_of(const std::optional<double>& bytes) { return bytes ? human_bytes(*bytes) : std::string(); }

VerdictTable table_of(const CaseRanking& r) {
  struct Column {
    std::string heading;
    std::function<std::string(const WayFacts&)> cell;
  };
  const std::vector<Column> columns{
      {"one run", [](const WayFacts& way) { return seconds_text(time_of(way)); }},
      {"beside the fastest",
       [&](const WayFacts& way) {
         if (!r.contested() || way.is_resident()) return std::string();
         return &way == &r.best() ? "fastest" : compared(way, r.best());
       }},
      {"beside resident",
       [&](const WayFacts& way) {
         return r.resident == nullptr || way.is_resident() ? std::string() : compared(way, *r.resident);
       }},
      {"device memory of a rank", [](const WayFacts& way) { return bytes_of(way.device_peak); }},
      {"host memory of all ranks", [](const WayFacts& way) { return bytes_of(way.host_peak); }},
      {"the switch step adds", spike_of},
      {"runs", [](const WayFacts& way) { return fmt::format("{}", way.totals.size()); }}};
  std::vector<const WayFacts*> ways = r.moving;
  if (r.resident != nullptr) ways.insert(ways.begin(), r.resident);
  VerdictTable table{{"way"}, {}};
  for (const WayFacts* way : ways) table.rows.push_back({way->name});
  for (const Column& column : columns) {
    std::vector<std::string> cells;
    for (const WayFacts* way : ways) cells.push_back(column.cell(*way));
    if (std::all_of(cells.begin(), cells.end(), [](const std::string& cell) { return cell.empty(); })) continue;
    table.columns.push_back(column.heading);
    for (size_t i = 0; i < cells.size(); ++i) table.rows[i].push_back(cells[i]);
  }
  return table;
}

}  // namespace

std::string latents_of(const CaseRanking& r) {
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

SweepVerdict::Case case_verdict(const CaseRanking& ranking) {
  SweepVerdict::Case told{ranking.facts->name, {}, table_of(ranking)};
  for (std::string& sentence :
       std::vector<std::string>{who_won(ranking), beyond_spread(ranking), against_resident(ranking), switch_of(ranking),
                                latents_of(ranking)}) {
    if (!sentence.empty()) told.sentences.push_back(std::move(sentence));
  }
  return told;
}

}  // namespace wansweep
