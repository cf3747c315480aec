#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "orchestrator/attempt.h"
#include "orchestrator/sweep_directory.h"
#include "orchestrator/text_table.h"
#include "orchestrator/verbs.h"
#include "schema/exit_codes.h"

namespace wansweep {
namespace {

std::string state_of(const Attempt* attempt) {
  if (attempt == nullptr) return "not started";
  if (!attempt->state) return "running or lost";
  if (attempt->state->state == "completed" && !is_done(*attempt)) return "damaged";
  return attempt->state->state;
}

std::string exit_text(const Attempt* attempt) {
  if (attempt == nullptr || !attempt->state) return "";
  if (attempt->state->signal) return fmt::format("signal {}", *attempt->state->signal);
  const std::optional<int> code = worker_exit_code(*attempt);
  if (!code) return "";
  const ExitCodeInfo* info = find_exit_code(*code);
  return info != nullptr ? fmt::format("{} ({})", *code, info->name) : fmt::format("{}", *code);
}

std::string line_of(const Attempt* attempt, std::string_view state) {
  if (attempt == nullptr) return "";
  if (state == "damaged") return completion_problem(attempt->directory).value_or("");
  return attempt->state ? attempt->state->line : "";
}

void print_next_step(const std::map<std::string, size_t>& counts, size_t total, const SweepRecord& record,
                     const std::string& directory) {
  const auto done = counts.find("completed");
  if (done != counts.end() && done->second == total) {
    fmt::print("next: wansweep gather {}\n", directory);
  } else {
    fmt::print("next: wansweep run {} --dir {}\n", record.file, directory);
  }
}

int print_status(const std::string& directory) {
  const SweepRecord record = read_sweep_record(directory);
  const std::map<std::string, Attempt> newest = newest_attempts(directory);
  TextTable table({{"run"}, {"state"}, {"attempt", Align::right}, {"exit"}, {"why"}});
  std::map<std::string, size_t> counts;
  for (const ListedRun& run : record.runs) {
    const auto found = newest.find(run.run);
    const Attempt* attempt = found != newest.end() ? &found->second : nullptr;
    const std::string state = state_of(attempt);
    ++counts[state];
    table.add_row({run.run, state, attempt != nullptr ? fmt::format("{}", attempt->number) : "", exit_text(attempt),
                   line_of(attempt, state)});
  }
  fmt::print("{}\nsweep {}: {} runs", table.to_string(), record.name, record.runs.size());
  for (const auto& [state, count] : counts) fmt::print(", {} {}", count, state);
  fmt::print("\n");
  print_next_step(counts, record.runs.size(), record, directory);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  auto directory = std::make_shared<std::string>(".");
  CLI::App* verb = app.add_subcommand("status", "Show where every run of a sweep stands, and why one failed");
  verb->add_option("DIR", *directory, "the sweep's directory (default: the current one)");
  verb->footer("Example:\n  wansweep status out/demo");
  verb->callback([directory, &action] { action = [directory] { return print_status(*directory); }; });
}

}  // namespace wansweep
