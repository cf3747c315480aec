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

std::string ranking_as_text(const Ranking& ranking) {
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
      not_ranked += fmt::format("no way   {}: {}\n", way.way.name, way.why_not);
      continue;
    }
    const auto bytes = [](int64_t count) { return human_bytes(static_cast<double>(count)); };
    table.add_row({fmt::format("{}", i + 1), way.way.name, total_text(way),
                   way.measured.empty() ? "predicted" : "measured", estimate_text(way.prediction.of(Quantity::spike)),
                   bytes(way.prediction.device_bytes), bytes(way.prediction.host_bytes), against_first(ranking, i),
                   undecided_against(ranking, i)});
  }
  const char* plural = ranking.ranks == 1 ? "" : "s";
  return fmt::format("\n{} rank{}\n\n{}{}", ranking.ranks, plural, table.to_string(), not_ranked);
}

}  // namespace

std::string rankings_as_text(const MachineFile& file, const Question& question, const std::vector<Ranking>& rankings) {
  const Machine& machine = file.machine;
  std::string text =
      fmt::format("{}, {}, {} frames, on machine {} ({}, {}, {}), from {}\n", question.model, question.size,
                  question.frames, machine.name, machine.card, name_of(machine.source), machine.measured_at, file.file);
  for (const Ranking& ranking : rankings) text += ranking_as_text(ranking);
  text +=
      "\nTimes that are predicted have 10 % to 90 % in brackets; of measured ones the median. Two ways are decided "
      "where the\n"
      "interval of their difference excludes zero: pairs that are not named stand in the order of the table.\n";
  return text;
}

}  // namespace wansweep
