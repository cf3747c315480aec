#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/text_table.h"
#include "orchestrator/answers/bootstrap.h"
#include "orchestrator/choose/choose.h"
#include "orchestrator/predict/prediction_text.h"

namespace wansweep {
namespace {

std::string total_text(const RankedWay& way) {
  if (way.measured.empty()) return estimate_text(way.prediction.of(Quantity::total));
  return fmt::format("{:.4g} (of {})", way.seconds, way.measured.size());
}

// How `way` compares with the first way of the ranking: "worse by 3.2 (2.1 to 4.4)"; empty for the first itself.
std::string against_first(const Ranking& ranking, size_t way) {
  const PairDecision* pair = ranking.pair(0, way);
  if (pair == nullptr) return "";
  constexpr double an_instant = 1e-6;
  if (std::max(std::abs(pair->difference.low), std::abs(pair->difference.high)) < an_instant) return "the same";
  const Estimate more{-pair->difference.value, -pair->difference.high, -pair->difference.low};
  switch (pair->decision) {
    case Decision::better:
      return "worse by " + estimate_text(more);
    case Decision::worse:
      return "better by " + estimate_text(pair->difference);
    case Decision::not_decided:
      return "not decided: " + estimate_text(more);
  }
  return "";
}

std::string undecided_against(const Ranking& ranking, size_t way) {
  std::vector<size_t> places;
  for (const PairDecision& pair : ranking.pairs) {
    if (pair.decision != Decision::not_decided) continue;
    if (pair.first == way) places.push_back(pair.second + 1);
    if (pair.second == way) places.push_back(pair.first + 1);
  }
  return places.empty() ? "-" : fmt::format("{}", fmt::join(places, ", "));
}

// The number of ranks whose rates a prediction of `ranks` takes: the least that is as many, else the most. nullopt: it
// depends on no such rate.
std::optional<int64_t> ranks_of_rates(const Machine& machine, int64_t ranks) {
  std::optional<int64_t> at_least, most;
  for (const ExchangeRate& each : machine.links.exchanges) {
    if (each.ranks >= ranks) at_least = std::min(at_least.value_or(each.ranks), each.ranks);
    most = std::max(most.value_or(0), each.ranks);
  }
  return ranks == 1 ? std::nullopt : at_least ? at_least : most;
}

std::string note_on_rates(const Machine& machine, int64_t ranks) {
  const std::optional<int64_t> taken = ranks_of_rates(machine, ranks);
  if (!taken || *taken == ranks) return {};
  return fmt::format("{} ranks were not probed on this machine; the numbers of {} ranks are taken.\n", ranks, *taken);
}

// Which of the ways that may be the fastest takes least device memory.
std::string note_on_memory(const Ranking& ranking) {
  const std::vector<size_t> contenders = ranking.contenders();
  if (contenders.empty()) return {};
  const auto memory = [&](size_t i) {
    return std::pair(ranking.ways[i].prediction.device_bytes, ranking.ways[i].prediction.host_bytes);
  };
  const size_t least = *std::ranges::min_element(contenders, {}, memory);
  return fmt::format("Of the {} ways that may be the fastest, place {} ({}) takes least device memory: {} a rank.\n",
                     contenders.size(), least + 1, ranking.ways[least].way.name,
                     human_bytes(static_cast<double>(memory(least).first)));
}

std::string ranking_as_text(const Machine& machine, const Ranking& ranking) {
  const char* plural = ranking.ranks == 1 ? "" : "s";
  if (const std::string why = ranking.why_none(); !why.empty()) {
    return fmt::format("\n{} rank{}: no way can run: {}\n", ranking.ranks, plural, why);
  }
  TextTable table({{"place", Align::right},
                   {"way"},
                   {"total s", Align::right},
                   {"from"},
                   {"spike s", Align::right},
                   {"device/rank", Align::right},
                   {"host/node", Align::right},
                   {"against the first, s"},
                   {"not decided against"}});
  std::string not_ranked;
  for (size_t i = 0; i < ranking.ways.size(); ++i) {
    const RankedWay& way = ranking.ways[i];
    if (!way.why_not.empty()) {
      not_ranked += fmt::format("left out  {}: {}\n", way.way.name, way.why_not);
      continue;
    }
    const auto bytes = [](int64_t count) { return human_bytes(static_cast<double>(count)); };
    table.add_row({fmt::format("{}", i + 1), way.way.name, total_text(way),
                   way.measured.empty() ? "predicted" : "measured", estimate_text(way.prediction.of(Quantity::spike)),
                   bytes(way.prediction.device_bytes), bytes(way.prediction.host_bytes), against_first(ranking, i),
                   undecided_against(ranking, i)});
  }
  const std::string notes = note_on_rates(machine, ranking.ranks) + note_on_memory(ranking);
  return fmt::format("\n{} rank{}\n\n{}{}{}{}", ranking.ranks, plural, table.to_string(), not_ranked,
                     notes.empty() ? "" : "\n", notes);
}

// What follows when measured ways left their predicted intervals.
std::string note_on_predictions(const std::vector<Ranking>& rankings) {
  std::vector<std::string> left;
  for (const Ranking& ranking : rankings) {
    for (const RankedWay& way : ranking.ways) {
      if (!way.left_its_prediction()) continue;
      left.push_back(fmt::format("{} with {} ranks took {:.4g} s, not {}", way.way.name, ranking.ranks, way.seconds,
                                 estimate_text(way.prediction.of(Quantity::total))));
    }
  }
  if (left.empty()) return {};
  return fmt::format(
      "\nMeasured runs left their predicted intervals ({}). The other predictions may be as wrong: no measured way is\n"
      "decided against a predicted one.\n",
      fmt::join(left, "; "));
}

}  // namespace

std::string rankings_as_text(const MachineFile& file, const Question& question, const std::vector<Ranking>& rankings) {
  const Machine& machine = file.machine;
  const int64_t steps = std::ranges::max(rankings, {}, &Ranking::steps).steps;
  std::string text = fmt::format("{}, {}, {} frames, {} steps, on machine {} ({}, {}, {}), from {}\n", question.model,
                                 question.size, question.frames, steps, machine.name, machine.card,
                                 name_of(machine.source), machine.measured_at, file.file);
  for (const Ranking& ranking : rankings) text += ranking_as_text(machine, ranking);
  text += note_on_predictions(rankings);
  text +=
      "\nTimes that are predicted have 10 % to 90 % in brackets; of measured ones the median. A pair of ways is not "
      "decided\n"
      "where the interval of their difference holds zero. Every other pair is decided: the upper row is faster.\n";
  return text;
}

}  // namespace wansweep
