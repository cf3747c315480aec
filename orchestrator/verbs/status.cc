// One table of all runs with their states (from the attempt's record, or from Slurm) and reasons. Runs that the sweep's
// file no longer lists are shown too if they have an attempt, since they may still run. Below the table, lines name the
// records that cannot be read and the states that Slurm did not tell; the last line is the next command to use.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/shell_quote.h"
#include "base/standard_output.h"
#include "base/text_table.h"
#include "orchestrator/cluster/poll.h"
#include "orchestrator/cluster/retry.h"
#include "orchestrator/sweep/abandoned.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/attempt_outcome.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/sweep/sweep_lock.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

constexpr std::chrono::seconds between_polls{2};  // for --watch; the profile says how often Slurm itself is asked

struct StatusArguments {
  std::string directory = ".";
  bool watch = false;
};

// Whether another wansweep works in the directory.
enum class LockFinding { free, held, unknown };

// The states of all runs, and the result of the poll of Slurm.
struct SweepStanding {
  SlurmPoll poll;
  LockFinding lock = LockFinding::free;
  std::vector<std::string> unread;             // entries of the sweep's directory that cannot be read, a line each
  std::map<std::string_view, size_t> counts;   // by state: runs that the sweep lists
  std::map<std::string_view, size_t> earlier;  // by state: runs that it does not list any more
  std::vector<Attempt> ended_badly;
  std::string table;
  bool slurm = false;  // some attempt went through Slurm
};

// The state of a local attempt without an end. The wansweep that launches attempts holds the directory's lock, and
// settles those that an earlier wansweep left.
RunStanding state_without_end(const Attempt& attempt, LockFinding lock) {
  switch (lock) {
    case LockFinding::held:
      return RunStanding::running;
    case LockFinding::free:
      try {
        return find_launched(attempt) == ProcessFinding::marked ? RunStanding::running : RunStanding::lost;
      } catch (const Error&) {  // its pid.json cannot be read
        break;
      }
    case LockFinding::unknown:
      break;
  }
  return RunStanding::running_or_lost;
}

std::string_view state_of(const Attempt* attempt, const SweepStanding& standing) {
  if (attempt == nullptr) return name_of(RunStanding::not_started);
  if (!attempt->state) {
    if (standing.poll.generated.contains(attempt->directory)) return name_of(RunStanding::generated);
    const auto live = standing.poll.live.find(attempt->directory);
    return live != standing.poll.live.end() ? name_of(live->second.state)
                                            : name_of(state_without_end(*attempt, standing.lock));
  }
  if (attempt->state->end == AttemptEnd::completed && !is_done(*attempt)) return name_of(RunStanding::damaged);
  return name_of(attempt->state->end);
}

std::string exit_text(const Attempt* attempt) {
  if (attempt == nullptr || !attempt->state) return "";
  if (attempt->state->signal) return fmt::format("signal {}", *attempt->state->signal);
  const std::optional<int> code = worker_exit_code(*attempt);
  if (!code) return "";
  const ExitCodeInfo* info = worker_exit_meaning(*attempt);
  // An exit code of 0 is not called "ok" when the run did not complete.
  const bool named = info != nullptr && (*code != 0 || attempt->state->end == AttemptEnd::completed);
  return named ? fmt::format("{} ({})", *code, info->name) : fmt::format("{}", *code);
}

std::string line_of(const Attempt* attempt, std::string_view state, const SlurmPoll& poll) {
  if (attempt == nullptr) return "";
  if (state == name_of(RunStanding::damaged)) return completion_problem(attempt->directory).value_or("");
  if (attempt->state) return attempt->state->line;
  const auto live = poll.live.find(attempt->directory);
  if (live != poll.live.end()) return live->second.line;
  if (poll.generated.contains(attempt->directory)) return "not submitted";
  if (state != name_of(RunStanding::lost)) return "";
  const std::string said = failure_line(attempt->directory);
  return "the run ended, but its end was not recorded (a full disk, or a killed wansweep)" +
         (said.empty() ? "" : "; last output: " + said);
}

bool ended_badly(const Attempt& attempt, std::string_view state) {
  if (!attempt.state || state == name_of(AttemptEnd::completed)) return false;
  return attempt.state->end != AttemptEnd::cancelled && attempt.state->end != AttemptEnd::withdrawn;
}

bool any_live(const SweepStanding& standing) { return !standing.poll.live.empty(); }

// The options that `rerun --failed` needs to retry at least one run; nullopt when none can be retried.
std::optional<std::string> options_of_retry(const std::vector<Attempt>& attempts) {
  const auto any = [&](const RetryGrants& grants) {
    return std::any_of(attempts.begin(), attempts.end(),
                       [&](const Attempt& attempt) { return can_go_again(attempt, grants); });
  };
  RetryGrants time, memory, profile;
  time.factors.time = memory.factors.memory = 2;
  profile.profile = ClusterProfile();
  if (any({})) return "";
  if (any(time)) return " --time-factor 2";
  if (any(memory)) return " --mem-factor 2";
  if (any(profile)) return " --cluster CORRECTED-PROFILE";
  return std::nullopt;
}

void print_next_step(const SweepStanding& standing, const SweepRecord& record, const std::string& given) {
  const auto count = [&](auto state) {
    const auto found = standing.counts.find(name_of(state));
    return found != standing.counts.end() ? found->second : 0;
  };
  const std::string directory = shell_word(given);
  const std::string file = shell_word(record.file);
  if (any_live(standing)) {
    fmt::print("next: wansweep status {} --watch\n", directory);
  } else if (count(AttemptEnd::completed) == record.runs.size()) {
    fmt::print("next: wansweep gather {}\n", directory);
  } else if (count(AttemptEnd::completed) + count(RunStanding::unreadable) == record.runs.size()) {
    fmt::print("next: repair the records that are left alone, or move their folders away; then wansweep status {}\n",
               directory);
  } else if (count(RunStanding::generated) > 0) {
    fmt::print(
        "next: sbatch the scripts that `wansweep generate` named, or wansweep submit {} --cluster PROFILE --dir {}\n",
        file, directory);
  } else if (!standing.slurm && count(RunStanding::damaged) > 0 &&
             count(RunStanding::damaged) + count(AttemptEnd::completed) == record.runs.size()) {
    fmt::print("next: wansweep rerun {} --failed\n", directory);
  } else if (!standing.slurm) {
    fmt::print("next: wansweep run {} --dir {}\n", file, directory);
  } else if (count(RunStanding::not_started) + count(AttemptEnd::withdrawn) + count(AttemptEnd::cancelled) > 0) {
    fmt::print("next: wansweep submit {} --cluster PROFILE --dir {}\n", file, directory);
  } else if (const auto options = options_of_retry(standing.ended_badly)) {
    fmt::print("next: wansweep rerun {} --failed{}\n", directory, *options);
  } else {
    fmt::print("no failed run can succeed with its settings; next: wansweep rerun {} --set KEY=VALUE\n", directory);
  }
}

// Asks Slurm, unless another wansweep works here: then its poll is used.
void poll_if_free(const std::string& directory, SweepStanding& standing) {
  try {
    const SweepLock lock(directory);
    standing.poll = poll_slurm(directory);
  } catch (const Error& error) {
    if (error.code() != ExitCode::store_busy && error.code() != ExitCode::output) throw;
    standing.lock = error.code() == ExitCode::store_busy ? LockFinding::held : LockFinding::unknown;
    standing.poll = last_poll(directory);
    standing.poll.problems.push_back(
        standing.lock == LockFinding::held
            ? error.what()
            : fmt::format("could not check whether another wansweep works here: {}", error.what()));
  }
}

SweepStanding stand(const SweepRecord& record, const std::string& directory) {
  SweepStanding standing;
  poll_if_free(directory, standing);
  const AttemptFolder attempts(directory);
  standing.unread = attempts.problems();
  TextTable table({{"run"}, {"state"}, {"attempt", Align::right}, {"exit"}, {"why"}});
  const auto add = [&](const std::string& run, std::map<std::string_view, size_t>& counts, const char* note) {
    const Attempt* attempt = attempts.newest_of(run);
    const std::string* block = attempts.block_of(run);
    const std::string_view state = block != nullptr ? name_of(RunStanding::unreadable) : state_of(attempt, standing);
    ++counts[state];
    standing.slurm |= attempt != nullptr && attempt->launcher == Launcher::slurm;
    if (attempt != nullptr && block == nullptr && ended_badly(*attempt, state))
      standing.ended_badly.push_back(*attempt);
    const std::string line = block != nullptr ? *block : line_of(attempt, state, standing.poll);
    table.add_row({run, std::string(state), attempt != nullptr ? fmt::format("{}", attempt->number) : "",
                   exit_text(attempt), fmt::format("{}{}{}", note, *note != '\0' && !line.empty() ? "; " : "", line)});
  };
  for (const ListedRun& run : record.runs) add(run.run, standing.counts, "");
  for (const EarlierMatrix& matrix : record.earlier) {
    for (const ListedRun& run : matrix.runs) {
      const bool was_begun = attempts.newest_of(run.run) != nullptr || attempts.block_of(run.run) != nullptr;
      if (was_begun) add(run.run, standing.earlier, "no longer in the sweep's file");
    }
  }
  standing.table = table.to_string();
  return standing;
}

std::string summary_of(const SweepStanding& standing, const SweepRecord& record) {
  std::string text = fmt::format("sweep {}: {} runs", printable(record.name), record.runs.size());
  for (const auto& [state, count] : standing.counts) text += fmt::format(", {} {}", count, state);
  if (standing.earlier.empty()) return text;
  text += "; no longer in its file:";
  for (const auto& [state, count] : standing.earlier) text += fmt::format(" {} {}", count, state);
  return text;
}

// Prints a line whenever a state changes, until Slurm has no job of the sweep any more.
void watch(const SweepRecord& record, const std::string& directory) {
  std::string before;
  for (;;) {
    const SweepStanding standing = stand(record, directory);
    const std::string now = summary_of(standing, record);
    if (now != before) fmt::print("{} {}\n", timestamp_now(), now);
    flush_standard_output();
    before = now;
    if (!any_live(standing)) return;
    std::this_thread::sleep_for(between_polls);
  }
}

int print_status(const StatusArguments& options) {
  const SweepRecord record = read_sweep_record(options.directory);
  if (options.watch) watch(record, options.directory);
  const SweepStanding standing = stand(record, options.directory);
  fmt::print("{}\n{}\n", standing.table, summary_of(standing, record));
  for (const std::string& problem : standing.poll.problems) {
    const auto& unread = standing.unread;
    if (std::find(unread.begin(), unread.end(), problem) != unread.end()) continue;
    fmt::print("unknown: {}\n", printable(problem));
  }
  for (const std::string& line : standing.unread) fmt::print("left alone: {}\n", printable(line));
  if (standing.poll.age > 0 && any_live(standing)) fmt::print("Slurm was asked {} s ago\n", standing.poll.age);
  print_next_step(standing, record, options.directory);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  auto options = std::make_shared<StatusArguments>();
  CLI::App* verb = app.add_subcommand("status", "Show the state of every run of a sweep, and why runs failed");
  verb->add_option("DIR", options->directory, "the sweep's directory (default: the current one)");
  verb->add_flag("--watch", options->watch, "print changes until Slurm has no job of the sweep any more");
  verb->footer("Example:\n  wansweep status out/demo");
  verb->callback([options, &action] { action = [options] { return print_status(*options); }; });
}

}  // namespace wansweep
