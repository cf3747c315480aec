#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/text_table.h"
#include "orchestrator/cluster/poll.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/attempt_outcome.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/sweep/sweep_lock.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

constexpr std::chrono::seconds between_looks{2};  // of --watch; the profile says how often Slurm itself is asked

struct StatusArguments {
  std::string directory = ".";
  bool watch = false;
};

// Where every run stands, and how the look at Slurm went.
struct SweepStanding {
  SlurmLook look;
  std::map<std::string, size_t> counts;  // by state
  std::string table;
  bool slurm = false;  // some attempt went through Slurm
};

std::string state_of(const Attempt* attempt, const SlurmLook& look) {
  if (attempt == nullptr) return "not started";
  if (!attempt->state) {
    const auto live = look.live.find(attempt->directory);
    return live != look.live.end() ? std::string(name_of(live->second.state)) : "running or lost";
  }
  if (attempt->state->end == AttemptEnd::completed && !is_done(*attempt)) return "damaged";
  return std::string(name_of(attempt->state->end));
}

std::string exit_text(const Attempt* attempt) {
  if (attempt == nullptr || !attempt->state) return "";
  if (attempt->state->signal) return fmt::format("signal {}", *attempt->state->signal);
  const std::optional<int> code = worker_exit_code(*attempt);
  if (!code) return "";
  const ExitCodeInfo* info = find_exit_code(*code);
  return info != nullptr ? fmt::format("{} ({})", *code, info->name) : fmt::format("{}", *code);
}

std::string line_of(const Attempt* attempt, std::string_view state, const SlurmLook& look) {
  if (attempt == nullptr) return "";
  if (state == "damaged") return completion_problem(attempt->directory).value_or("");
  if (attempt->state) return attempt->state->line;
  const auto live = look.live.find(attempt->directory);
  return live != look.live.end() ? live->second.line : "";
}

bool any_live(const SweepStanding& standing) { return !standing.look.live.empty(); }

void print_next_step(const SweepStanding& standing, const SweepRecord& record, const std::string& directory) {
  const auto count = [&](const char* state) {
    const auto found = standing.counts.find(state);
    return found != standing.counts.end() ? found->second : 0;
  };
  if (count("completed") == record.runs.size()) {
    fmt::print("next: wansweep gather {}\n", directory);
  } else if (any_live(standing)) {
    fmt::print("next: wansweep status {} --watch\n", directory);
  } else if (standing.slurm) {
    const bool unsent = count("not started") + count("withdrawn") + count("cancelled") > 0;
    fmt::print("next: wansweep {}\n", unsent ? fmt::format("submit {} --cluster ...", record.file)
                                             : fmt::format("rerun {} --failed", directory));
  } else {
    fmt::print("next: wansweep run {} --dir {}\n", record.file, directory);
  }
}

// Asks Slurm, where this wansweep is the only one at work here; another one's look is as good.
SlurmLook look_if_free(const std::string& directory) {
  try {
    const SweepLock lock(directory);
    return look_at_slurm(directory);
  } catch (const Error& error) {
    if (error.code() != ExitCode::store_busy && error.code() != ExitCode::output) throw;
    SlurmLook look = last_look(directory);
    look.problems.emplace_back(error.what());
    return look;
  }
}

SweepStanding stand(const SweepRecord& record, const std::string& directory) {
  SweepStanding standing;
  standing.look = look_if_free(directory);
  const AttemptFolder attempts(directory);
  TextTable table({{"run"}, {"state"}, {"attempt", Align::right}, {"exit"}, {"why"}});
  const auto add = [&](const std::string& run, const std::string& note) {
    const Attempt* attempt = attempts.newest_of(run);
    const std::string* block = attempts.block_of(run);
    const std::string state = block != nullptr ? "cannot be read" : state_of(attempt, standing.look);
    ++standing.counts[state];
    standing.slurm |= attempt != nullptr && attempt->launcher == Launcher::slurm;
    table.add_row({run, state, attempt != nullptr ? fmt::format("{}", attempt->number) : "", exit_text(attempt),
                   note + (block != nullptr ? *block : line_of(attempt, state, standing.look))});
  };
  for (const ListedRun& run : record.runs) add(run.run, "");
  for (const EarlierMatrix& matrix : record.earlier) {
    for (const ListedRun& run : matrix.runs) {
      const bool was_begun = attempts.newest_of(run.run) != nullptr || attempts.block_of(run.run) != nullptr;
      if (was_begun) add(run.run, "(of the sweep's file before it was edited) ");
    }
  }
  standing.table = table.to_string();
  return standing;
}

std::string summary_of(const SweepStanding& standing, const SweepRecord& record) {
  std::string text = fmt::format("sweep {}: {} runs", record.name, record.runs.size());
  for (const auto& [state, count] : standing.counts) text += fmt::format(", {} {}", count, state);
  return text;
}

// A line whenever something changed, until nothing is left in Slurm's hands.
void watch(const SweepRecord& record, const std::string& directory) {
  std::string before;
  for (;;) {
    const SweepStanding standing = stand(record, directory);
    const std::string now = summary_of(standing, record);
    if (now != before) fmt::print("{} {}\n", timestamp_now(), now);
    std::fflush(stdout);
    before = now;
    if (!any_live(standing)) return;
    std::this_thread::sleep_for(between_looks);
  }
}

int print_status(const StatusArguments& options) {
  const SweepRecord record = read_sweep_record(options.directory);
  if (options.watch) watch(record, options.directory);
  const SweepStanding standing = stand(record, options.directory);
  fmt::print("{}\n{}\n", standing.table, summary_of(standing, record));
  for (const std::string& problem : standing.look.problems) fmt::print("not learned: {}\n", problem);
  if (standing.look.age > 0 && any_live(standing)) fmt::print("Slurm was asked {} s ago\n", standing.look.age);
  print_next_step(standing, record, options.directory);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  auto options = std::make_shared<StatusArguments>();
  CLI::App* verb = app.add_subcommand("status", "Show where every run of a sweep stands, and why one failed");
  verb->add_option("DIR", options->directory, "the sweep's directory (default: the current one)");
  verb->add_flag("--watch", options->watch, "stay until Slurm has nothing of it any more, and say what changes");
  verb->footer("Example:\n  wansweep status out/demo");
  verb->callback([options, &action] { action = [options] { return print_status(*options); }; });
}

}  // namespace wansweep
