// `wansweep choose` ranks the ways to move weights, and writes a sweep of the runs that decide what predictions cannot.
// The user calls it again after these runs. It may therefore replace a sweep that it wrote itself, and no other file.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/exit_codes.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/shell_quote.h"
#include "base/standard_error.h"
#include "base/standard_output.h"
#include "base/text_table.h"
#include "base/units.h"
#include "orchestrator/choose/choose.h"
#include "orchestrator/choose/ways.h"
#include "orchestrator/machines/stale.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/store/query/query.h"
#include "orchestrator/verbs/number_checks.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

constexpr const char* deciding_sweep = "choose";
// The first line of a sweep that this verb wrote, and may therefore replace.
constexpr std::string_view written_here = "# Written by `wansweep choose`, which replaces it when it is asked again.\n";

struct ChooseArguments {
  Question question;
  std::string machine;
  std::string results;  // a sweep's directory; empty: nothing was measured yet
  std::string output;   // the deciding sweep's file
  bool json = false;
};

// Throws bad_input for a file that somebody else wrote.
void check_output(const std::string& file) {
  const std::optional<std::string> text = read_text_if_there(file);
  if (!text || text->starts_with(written_here)) return;
  throw bad_input(
      fmt::format("{}: `wansweep choose` did not write this file and does not replace it; give another -o", file));
}

// The totals in a sweep's directory: that of each run's newest complete attempt that is not superseded.
MeasuredTotals measured_in(const std::string& directory) {
  MeasuredTotals totals;
  if (directory.empty()) return totals;
  Store store = open_store_readonly(database_file(directory));
  const Table table =
      run_query(store,
                "SELECT r.config, t.total_ns / 1e9 FROM current_attempt a JOIN run r ON r.id = a.run_id "
                "JOIN attempt_time t ON t.attempt_id = a.id ORDER BY r.config, r.repeat");
  for (const auto& row : table.rows) {
    totals[std::get<std::string>(row[0])].push_back(std::get<double>(row[1]));
  }
  return totals;
}

nlohmann::json to_json(const Estimate& e) { return {{"value", e.value}, {"low", e.low}, {"high", e.high}}; }

nlohmann::json to_json(const Ranking& ranking) {
  nlohmann::json ways = nlohmann::json::array(), pairs = nlohmann::json::array();
  for (const RankedWay& way : ranking.ways) {
    nlohmann::json row{{"way", way.way.name},
                       {"config", way.config},
                       {"device_gib", to_gib(way.prediction.device_bytes)},
                       {"host_gib_per_node", to_gib(way.prediction.host_bytes)}};
    if (!way.why_not.empty()) row["why_not"] = way.why_not;
    if (way.prediction.unknown.empty()) row["predicted_total_s"] = to_json(way.prediction.of(Quantity::total));
    if (!way.measured.empty()) row["measured_total_s"] = way.measured;
    if (way.left_its_prediction()) row["left_its_prediction"] = true;
    ways.push_back(std::move(row));
  }
  for (const PairDecision& pair : ranking.pairs) {
    pairs.push_back({{"first", ranking.ways[pair.first].way.name},
                     {"second", ranking.ways[pair.second].way.name},
                     {"first_is", name_of(pair.decision)},
                     {"from", pair.measured ? "measured" : "predicted"},
                     {"first_takes_more_s", to_json(pair.difference)}});
  }
  return {{"ranks", ranking.ranks}, {"ways", std::move(ways)}, {"pairs", std::move(pairs)}};
}

// "2.9 hours", "41 minutes".
std::string duration_text(double seconds) {
  constexpr double minute = 60, hour = 3600;
  if (seconds >= hour) return fmt::format("{:.1f} hours", seconds / hour);
  return count_of(std::max<int64_t>(1, std::llround(seconds / minute)), "minute");
}

// Writes the sweep of the deciding runs to options.output, and says how to run it.
void write_deciding_runs(const ChooseArguments& options, const Machine& machine, const DecidingRuns& runs) {
  if (runs.ways.empty()) {
    fmt::print("\nThe first of each number of ranks is decided, as far as these runs can decide it.\n");
    return;
  }
  std::vector<std::string> bill;
  for (const DecidingRuns::Cost& cost : runs.costs) {
    bill.push_back(fmt::format("{} of {}", duration_text(cost.seconds),
                               count_of(cost.ranks, machine.backend == BackendKind::cuda ? "GPU" : "rank")));
  }
  const std::string sweep = sweep_of(options.question, machine, runs.ways, deciding_sweep, runs.repeats);
  write_file_atomically(options.output, std::string(written_here) + sweep);
  fmt::print(
      "\n{} runs decide which way is the fastest: {} ways that may be, {} repeats each{}.\n"
      "They take about {}, one after the other. They are in {}:\n"
      "  wansweep run {}       # or: wansweep submit ... --cluster NAME\n"
      "  wansweep gather out/{}\n"
      "and then this command with --results out/{}\n",
      runs.ways.size() * static_cast<size_t>(runs.repeats), runs.ways.size(), runs.repeats,
      runs.may_not_suffice ? ", which may not suffice: some are predicted to be closer than that tells apart" : "",
      fmt::join(bill, " and "), printable(options.output), shell_word(options.output), deciding_sweep, deciding_sweep);
}

bool has_a_way(const Ranking& ranking) {
  return std::ranges::any_of(ranking.ways, [](const RankedWay& way) { return way.why_not.empty(); });
}

bool uses_results(const Ranking& ranking) {
  return std::ranges::any_of(ranking.ways, [](const RankedWay& way) { return !way.measured.empty(); });
}

// Warns on standard error of numbers of ranks for which no way is ranked, and of measured results that belong to none
// of the ways.
void warn_of_rankings(const ChooseArguments& options, const std::vector<Ranking>& rankings,
                      const MeasuredTotals& measured) {
  for (const Ranking& ranking : rankings) {
    if (has_a_way(ranking) || !ranking.why_none().empty()) continue;
    print_error("wansweep: with {} ranks no way can run: the reasons stand in its table\n", ranking.ranks);
  }
  if (!options.results.empty() && std::ranges::none_of(rankings, uses_results)) {
    print_error(
        "wansweep: --results is {}; none of the {} configurations measured there is one of these ways: its model, "
        "size, frames, ranks, engine or another setting differs (--set gives one to all ways; `wansweep report` "
        "compares the runs of other engines)\n",
        printable(options.results), measured.size());
  }
}

// Throws bad_input where one reason keeps every way from running, such as a size that is none.
void refuse_what_cannot_run(const std::vector<Ranking>& rankings) {
  const std::string why = rankings[0].why_none();
  const auto alike = [&](const Ranking& ranking) { return ranking.why_none() == why; };
  if (!why.empty() && std::ranges::all_of(rankings, alike)) throw bad_input(fmt::format("no way can run: {}", why));
}

int choose(const ChooseArguments& options) {
  if (!options.json) check_output(options.output);
  const MachineFile machine = read_machine_to_predict(options.machine);
  const std::vector<OffloadWay> ways = ways_of(options.question, machine.machine);
  const Plan plan = plan_of(options.question, machine.machine, ways);
  MemoryLimits limits = limits_of(machine.machine);
  if (options.question.device_memory_gib) limits.device = options.question.device_memory_gib;
  if (options.question.host_memory_gib) limits.host = options.question.host_memory_gib;
  const MeasuredTotals measured = measured_in(options.results);
  const std::vector<Ranking> rankings = rank_ways(machine.machine, ways, plan, limits, measured);
  refuse_what_cannot_run(rankings);
  const bool any = std::ranges::any_of(rankings, has_a_way);
  if (options.json) {
    nlohmann::json all = nlohmann::json::array();
    for (const Ranking& ranking : rankings) all.push_back(to_json(ranking));
    fmt::print("{}\n", all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}", rankings_as_text(machine, options.question, rankings));
    if (any) write_deciding_runs(options, machine.machine, deciding_runs(rankings));
  }
  flush_standard_output();
  warn_of_rankings(options, rankings, measured);
  return static_cast<int>(any ? ExitCode::ok : ExitCode::bad_input);
}

}  // namespace

void add_choose(CLI::App& app, Action& action) {
  auto options = std::make_shared<ChooseArguments>();
  options->output = std::string(deciding_sweep) + ".toml";
  Question& question = options->question;
  CLI::App* verb =
      app.add_subcommand("choose", "Rank the ways to move weights on a machine, and name the runs that decide");
  verb->add_option("MODEL", question.model, "a catalog id (random weights of its size), or a model's directory")
      ->required();
  verb->add_option("--size", question.size, "WIDTHxHEIGHT in pixels")->required();
  verb->add_option("--frames", question.frames, "video frames, 4n + 1")->required()->check(whole_number(1));
  verb->add_option("--ranks", question.ranks, "numbers of ranks: 4,6")
      ->required()
      ->delimiter(',')
      ->check(whole_number(1));
  verb->add_option("--machine", options->machine,
                   "NAME of machines/NAME.toml, or a .toml file; `wansweep probe` makes one")
      ->required();
  verb->add_option("--set", question.set, "NAME=VALUE of another setting, the same for all ways; may be given again")
      ->allow_extra_args(false);
  verb->add_option("--device-memory", question.device_memory_gib, "GiB that a rank may use (default: the machine's)")
      ->check(number_above(0));
  verb->add_option("--host-memory", question.host_memory_gib, "GiB of a node (default: the machine's)")
      ->check(number_above(0));
  verb->add_option("--results", options->results,
                   "a sweep's directory: what was measured there goes before predictions");
  verb->add_option("-o,--output", options->output, "the sweep of the runs that decide (default choose.toml)");
  verb->add_flag("--json", options->json, "for programs: every way and every pair; writes no sweep");
  verb->footer(
      "Of a pair of ways one is better, or worse, or it is not decided: the interval of their difference holds "
      "zero.\n\n"
      "Examples:\n  wansweep choose t2v-a14b --size 1280x720 --frames 81 --ranks 4,6 --machine aces\n"
      "  wansweep choose t2v-a14b --size 1280x720 --frames 81 --ranks 4 --machine aces --results out/choose");
  verb->callback([options, &action] {
    std::vector<int64_t>& ranks = options->question.ranks;
    std::ranges::sort(ranks);
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    action = [options] { return choose(*options); };
  });
}

}  // namespace wansweep
