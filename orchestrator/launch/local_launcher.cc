// One thread, one loop: launch runs while there is room, then sleep until a signal (a child's end, Ctrl-C) or until the
// status line must be redrawn. The signals are blocked and waited for, so that no handler interrupts other code.

#include "orchestrator/launch/local_launcher.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <deque>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/process.h"
#include "base/shell_quote.h"
#include "base/terminal/progress_line.h"
#include "orchestrator/launch/steps_done.h"
#include "orchestrator/launch/sweep_progress.h"
#include "orchestrator/sweep/abandoned.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/attempt_outcome.h"
#include "orchestrator/sweep/launcher_exit.h"

namespace wansweep {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto stop_grace = std::chrono::seconds(10);
constexpr std::chrono::milliseconds redraw_interval{200};
constexpr std::chrono::seconds look_interval{1};  // between two looks at the traces of running attempts

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Blocks the signals that the loop waits for, and restores the mask at the end.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  ~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

  // Waits for a signal. Returns 0 when none came in time.
  int wait(std::chrono::milliseconds timeout) const {
    const timespec time{timeout.count() / 1000, timeout.count() % 1000 * 1'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &time);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

struct PendingRun {
  const PlannedConfiguration* configuration;
  int repeat;
};

struct RunningAttempt {
  Attempt attempt;
  int64_t steps = 0;  // number of steps of the run
  std::string started_at;
  Clock::time_point start;
  std::optional<StepsDone> done;  // the steps done at the time `looked`
  Clock::time_point looked;
};

class LocalLauncher {
 public:
  LocalLauncher(const Sweep& sweep, const Plan& plan, const LaunchOptions& options)
      : sweep_(sweep),
        options_(options),
        line_(stdout, progress_display(stdout, options.quiet), {.patience_s = 0}),
        attempts_(options.directory) {
    summary_.total = options.only.empty() ? plan.runs() : options.only.size();
    find_pending(plan);
  }

  // Processes are still alive here only when an exception ends the launcher.
  ~LocalLauncher() {
    kill_all();
    for (const auto& [pid, running] : running_) waitpid(pid, nullptr, 0);
  }
  LocalLauncher(const LocalLauncher&) = delete;
  LocalLauncher& operator=(const LocalLauncher&) = delete;

  LaunchSummary run() {
    announce();
    while (!pending_.empty() || !running_.empty()) {
      launch_while_room();
      look_at_traces();
      if (on_terminal()) line_.show(progress_text(progress(), line_.width()));
      handle(signals_.wait(redraw_interval));
      reap();
      if (stopping_ && running_.empty()) break;
      if (stopping_ && Clock::now() > kill_at_) kill_all();
    }
    if (launch_error_) std::rethrow_exception(launch_error_);
    summary_.interrupted = stopping_;
    return summary_;
  }

 private:
  // Repeat by repeat, not configuration by configuration, so that a machine that slows down with time slows them all.
  void find_pending(const Plan& plan) {
    for (const std::string& problem : attempts_.problems()) say_left_alone(problem);
    for (int repeat = 1; repeat <= plan.repeats; ++repeat) {
      for (const PlannedConfiguration& configuration : plan.configurations) {
        const std::string name = run_name(configuration, repeat);
        if (!options_.only.empty() && !options_.only.contains(name)) continue;
        switch (standing_of(name)) {
          case Standing::pending:
            pending_.push_back({&configuration, repeat});
            break;
          case Standing::done:
            ++summary_.done_before;
            break;
          case Standing::unknown:
            ++summary_.left_alone;
            break;
        }
      }
    }
  }

  enum class Standing { pending, done, unknown };

  // The standing of a run, from its newest attempt, which is settled first if its wansweep died. Prints the reason when
  // it
  // is unknown.
  Standing standing_of(const std::string& run) {
    const Attempt* newest = attempts_.newest_of(run);
    if (newest != nullptr && newest->state && is_done(*newest)) return Standing::done;
    if (attempts_.block_of(run) != nullptr) return Standing::unknown;  // reported with the other problems
    if (newest == nullptr) return Standing::pending;
    Attempt attempt = *newest;
    if (!attempt.state) {
      if (attempt.launcher == Launcher::slurm) {
        throw bad_input(
            fmt::format("{}: is submitted to Slurm; see `wansweep status`, or cancel it first with `wansweep cancel`",
                        attempt.directory));
      }
      if (const std::optional<std::string> problem = settle_abandoned(attempt)) {
        say_left_alone(fmt::format("{}; run {} is not started", *problem, run));
        return Standing::unknown;
      }
    }
    return attempt.state->end == AttemptEnd::completed ? standing_of_completed(attempt) : Standing::pending;
  }

  // When the record, traces or result of a completed run are damaged, the user must decide: the run is repeated only on
  // request.
  Standing standing_of_completed(const Attempt& attempt) {
    const RecordWitness record = read_record(attempt.directory);
    switch (record.word) {
      case RecordWord::whole:
        return Standing::done;
      case RecordWord::wrong:
      case RecordWord::absent:
      case RecordWord::unreadable:
        break;
    }
    if (options_.again) return Standing::pending;
    say_left_alone(fmt::format("{}: completed, but damaged since: {}; `wansweep rerun {} --failed` runs it again",
                               attempt.directory, record.line, shell_word(options_.directory)));
    return Standing::unknown;
  }

  void say_left_alone(const std::string& line) { line_.print("left alone: " + printable(line)); }

  void announce() {
    if (options_.quiet) return;
    if (pending_.empty() && summary_.left_alone == 0) {
      line_.print(fmt::format("{}: all {} runs are done", options_.directory, summary_.total));
    } else if (summary_.done_before > 0) {
      line_.print(fmt::format("{}: {} of {} runs are done, {} to go", options_.directory, summary_.done_before,
                              summary_.total, pending_.size()));
    } else {
      line_.print(fmt::format("{}: {} runs to go", options_.directory, summary_.total));
    }
  }

  void launch_while_room() {
    try {
      while (!stopping_ && !pending_.empty() && running_.size() < static_cast<size_t>(options_.jobs)) launch_next();
    } catch (const Error&) {
      launch_error_ = std::current_exception();
      stop();
    }
  }

  void launch_next() {
    const PendingRun next = pending_.front();
    pending_.pop_front();
    Attempt attempt = attempts_.create(sweep_.name, *next.configuration, next.repeat);
    const RunSettings& settings = next.configuration->spec;
    const bool by_script = has_script(settings.engine);
    if (by_script) write_engine_script(*next.configuration->run, attempt.run, attempt.directory, options_.engines);
    attempts_.sync({attempt});
    Command command = by_script ? script_command(attempt.directory)
                                : worker_command(options_.programs, attempt.directory, settings.ranks);
    command.environment.emplace_back(attempt_mark, attempt_mark_value(attempt.directory));
    const pid_t pid = spawn(command);
    const int64_t steps = settings.steps.value_or(0);
    const auto placed =
        running_.emplace(pid, RunningAttempt{std::move(attempt), steps, timestamp_now(), Clock::now(), {}, {}});
    write_pid(placed.first->second.attempt, pid);
  }

  void handle(int signal) {
    if (signal == 0 || signal == SIGCHLD) return;
    if (stopping_) {
      kill_all();
    } else {
      stop();
    }
  }

  void stop() {
    stopping_ = true;
    kill_at_ = Clock::now() + stop_grace;
    if (!running_.empty()) {
      line_.print(fmt::format("stopping {} running; Ctrl-C again kills at once", running_.size()));
    }
    for (const auto& [pid, running] : running_) kill(-pid, SIGTERM);
  }

  void kill_all() {
    for (const auto& [pid, running] : running_) kill_tree(pid);
  }

  void reap() {
    for (auto it = running_.begin(); it != running_.end();) {
      int status = 0;
      const pid_t pid = waitpid(it->first, &status, WNOHANG);
      if (pid == 0 || (pid < 0 && errno == EINTR)) {
        ++it;
        continue;
      }
      RunningAttempt ended = std::move(it->second);
      it = running_.erase(it);
      finish_or_stop(ended, status);
    }
  }

  // An end that cannot be recorded is as if wansweep had died: the next wansweep settles it.
  void finish_or_stop(RunningAttempt& ended, int status) {
    try {
      finish(ended, status);
    } catch (const Error&) {
      if (!launch_error_) launch_error_ = std::current_exception();
      if (!stopping_) stop();
    }
  }

  LauncherWitness witness_of(int status) const {
    // While all runs are being stopped, mpirun's exit code only shows that it was stopped.
    if (stopping_) return {LauncherWord::struck, AttemptEnd::cancelled};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {LauncherWord::exit_zero, AttemptEnd::failed};
    return {WIFSIGNALED(status) ? LauncherWord::struck : LauncherWord::exit_other, AttemptEnd::failed};
  }

  void finish(RunningAttempt& ended, int status) {
    Attempt& attempt = ended.attempt;
    const RecordWitness record = read_record(attempt.directory);
    const std::optional<AttemptEnd> end = outcome_of(witness_of(status), record.word);
    if (!end) {
      ++summary_.left_alone;
      say_left_alone(record.line);
      return;
    }
    AttemptState state;
    state.end = *end;
    state.started_at = ended.started_at;
    state.ended_at = timestamp_now();
    if (state.end == AttemptEnd::completed) {
      state.exit_code = 0;  // by the worker's record
      if (status != 0) state.line = "stopped after it had finished";
    } else {
      const LauncherExit exit = WIFSIGNALED(status) ? LauncherExit{{}, WTERMSIG(status)}
                                                    : read_launcher_exit(attempt.directory, WEXITSTATUS(status));
      state.exit_code = exit.exit_code;
      state.signal = exit.signal;
      state.line = failure_line(attempt.directory);
      if (state.line.empty()) state.line = record.line;
      if (state.line.empty()) state.line = "the completion record is complete, but mpirun did not return 0";
    }
    write_state(attempt, state);
    report(attempt, seconds_since(ended.start));
  }

  void report(const Attempt& attempt, double seconds) {
    const AttemptState& state = *attempt.state;
    if (state.end == AttemptEnd::cancelled) return;
    const bool completed = state.end == AttemptEnd::completed;
    ++(completed ? summary_.completed : summary_.failed);
    seconds_in_runs_ += seconds;
    if (completed && (on_terminal() || options_.quiet)) return;
    const std::string place =
        fmt::format("[{}/{}]", summary_.done_before + summary_.completed + summary_.failed, summary_.total);
    if (completed) {
      line_.print(fmt::format("{} {} completed in {:.1f} s", place, attempt.run, seconds));
    } else {
      const ExitCodeInfo* info = worker_exit_meaning(attempt);
      std::string how = info != nullptr && info->code != ExitCode::ok ? fmt::format(" ({})", info->name) : "";
      if (info == nullptr && state.exit_code) how = fmt::format(" (exit code {})", *state.exit_code);
      line_.print(
          fmt::format("{} {} failed{} after {:.1f} s: {}", place, attempt.run, how, seconds, printable(state.line)));
    }
  }

  bool on_terminal() const { return line_.display() == ProgressDisplay::in_place; }

  // Only for the status line: without one, no trace is read.
  void look_at_traces() {
    if (!on_terminal() || Clock::now() < look_at_) return;
    look_at_ = Clock::now() + look_interval;
    for (auto& [pid, running] : running_) {
      if (const std::optional<StepsDone> done = steps_done(running.attempt.directory)) {
        running.done = done;
        running.looked = Clock::now();
      }
    }
  }

  Progress progress() const {
    Progress progress;
    progress.total = summary_.total;
    progress.done = summary_.done_before + summary_.completed;
    progress.failed = summary_.failed;
    progress.running = running_.size();
    const RunningAttempt* oldest = nullptr;
    for (const auto& [pid, running] : running_) {
      if (oldest == nullptr || running.start < oldest->start) oldest = &running;
    }
    if (oldest != nullptr) {
      progress.running_name = oldest->attempt.run;
      progress.steps = oldest->steps;
      if (oldest->done) progress.step = oldest->done->steps;
    }
    progress.seconds_left = seconds_left();
    return progress;
  }

  // Estimated from the finished runs and from the steps of running ones; below 0 when both are missing.
  double seconds_left() const {
    const size_t finished = summary_.completed + summary_.failed;
    double each = finished > 0 ? seconds_in_runs_ / static_cast<double>(finished) : -1;
    double left = 0;
    for (const auto& [pid, running] : running_) {
      double of_this = each < 0 ? -1 : std::max(0.0, each - seconds_since(running.start));
      if (running.done && running.steps > 0) {
        const double then = static_cast<double>(running.steps - running.done->steps) * running.done->seconds_a_step;
        if (each < 0) each = std::chrono::duration<double>(running.looked - running.start).count() + then;
        of_this = std::max(0.0, then - seconds_since(running.looked));
      }
      if (of_this < 0) return -1;
      left += of_this;
    }
    if (each < 0) return -1;
    return (left + each * static_cast<double>(pending_.size())) / options_.jobs;
  }

  const Sweep& sweep_;
  const LaunchOptions& options_;
  BlockedSignals signals_;
  ProgressLine line_;
  AttemptFolder attempts_;
  LaunchSummary summary_;
  std::deque<PendingRun> pending_;
  std::map<pid_t, RunningAttempt> running_;
  double seconds_in_runs_ = 0;
  bool stopping_ = false;
  std::exception_ptr launch_error_;  // thrown when all running attempts have ended
  Clock::time_point kill_at_;
  Clock::time_point look_at_ = Clock::now();
};

}  // namespace

std::string worker_beside_this_program() {
  const std::filesystem::path self = this_program();
  return (self.empty() ? std::filesystem::path(".") : self.parent_path()) / "wansweep-worker";
}

LaunchSummary launch_locally(const Sweep& sweep, const Plan& plan, const LaunchOptions& options) {
  // Checked before the first attempt is recorded, since a program that is missing is not a failure of an attempt.
  std::set<EngineKind> engines;
  for (const PlannedConfiguration& configuration : plan.configurations) engines.insert(configuration.spec.engine);
  for (const EngineKind engine : engines) check_engine_program(engine, options.engines);
  try {
    if (engines.contains(EngineKind::wansweep)) check_programs(options.programs);
  } catch (const Error&) {
    fmt::print("{}: nothing is started; running needs wansweep-worker and Open MPI's mpirun\n", options.directory);
    throw;
  }
  LaunchOptions ready = options;
  ready.directory = std::filesystem::absolute(options.directory).lexically_normal().string();
  return LocalLauncher(sweep, plan, ready).run();
}

}  // namespace wansweep
