// One thread, one loop: launch while there is room, then sleep until a signal (a child's end, Ctrl-C) or the next
// moment to redraw. The signals are blocked and waited for, so that no handler runs at a bad time.

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
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "orchestrator/launch/status_line.h"
#include "orchestrator/sweep/attempt.h"

namespace wansweep {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto stop_grace = std::chrono::seconds(10);
constexpr std::chrono::milliseconds redraw_interval{200};

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

  // The signal, or 0 when none came in time.
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
  std::string started_at;
  Clock::time_point start;
};

class LocalLauncher {
 public:
  LocalLauncher(const Sweep& sweep, const Plan& plan, const LaunchOptions& options)
      : sweep_(sweep), options_(options), line_(stdout) {
    summary_.total = options.only.empty() ? plan.runs() : options.only.size();
    find_pending(plan);
  }

  // Reached with processes alive only when an error is on its way out.
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
      line_.show(progress());
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
  // Repeat by repeat, not configuration by configuration: a machine that slows down with time then slows all of them.
  void find_pending(const Plan& plan) {
    std::map<std::string, Attempt> newest = newest_attempts(options_.directory);
    for (int repeat = 1; repeat <= plan.repeats; ++repeat) {
      for (const PlannedConfiguration& configuration : plan.configurations) {
        const std::string name = run_name(configuration, repeat);
        if (!options_.only.empty() && !options_.only.contains(name)) continue;
        const auto found = newest.find(name);
        if (found != newest.end()) {
          if (!found->second.state && found->second.launcher == Launcher::slurm) {
            throw bad_input(fmt::format("{}: is in Slurm's hands; see `wansweep status`, or `wansweep cancel` it first",
                                        found->second.directory));
          }
          if (!found->second.state) settle_abandoned(found->second);
          if (is_done(found->second)) {
            ++summary_.done_before;
            continue;
          }
        }
        pending_.push_back({&configuration, repeat});
      }
    }
  }

  void announce() {
    if (pending_.empty()) {
      line_.print(fmt::format("{}: all {} runs are done", options_.directory, summary_.total));
    } else if (summary_.done_before > 0) {
      line_.print(fmt::format("{}: {} of {} runs are done, {} to go", options_.directory, summary_.done_before,
                              summary_.total, pending_.size()));
    } else {
      line_.print(fmt::format("{}: {} runs to go", options_.directory, summary_.total));
    }
  }

  Command command_for(const Attempt& attempt, int64_t ranks) const {
    Command command;
    command.arguments = {options_.mpirun, "--oversubscribe"};
    if (geteuid() == 0) command.arguments.emplace_back("--allow-run-as-root");
    for (const std::string& argument :
         {std::string("-n"), std::to_string(ranks), options_.worker, std::string("--spec"),
          attempt.directory + "/spec.json", std::string("--out"), attempt.directory}) {
      command.arguments.push_back(argument);
    }
    // Ranks may outnumber cores here: they must yield while they wait, run unbound, and have one BLAS thread each.
    command.environment = {{"OMPI_MCA_mpi_yield_when_idle", "1"},
                           {"OMPI_MCA_hwloc_base_binding_policy", "none"},
                           {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
                           {"OMP_NUM_THREADS", "1"},
                           {"OPENBLAS_NUM_THREADS", "1"}};
    command.stdout_file = attempt.directory + "/stdout.log";
    command.stderr_file = attempt.directory + "/stderr.log";
    return command;
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
    Attempt attempt = create_attempt(options_.directory, sweep_.name, *next.configuration, next.repeat);
    const pid_t pid = spawn(command_for(attempt, next.configuration->spec.ranks));
    const auto placed = running_.emplace(pid, RunningAttempt{std::move(attempt), timestamp_now(), Clock::now()});
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
      finish(ended, status);
    }
  }

  void finish(RunningAttempt& ended, int status) {
    Attempt& attempt = ended.attempt;
    AttemptState state;
    state.started_at = ended.started_at;
    state.ended_at = timestamp_now();
    if (WIFEXITED(status)) state.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) state.signal = WTERMSIG(status);
    const std::optional<std::string> missing = completion_problem(attempt.directory);
    if (state.exit_code == 0 && !missing) {
      state.end = AttemptEnd::completed;
    } else {
      state.end = stopping_ ? AttemptEnd::cancelled : AttemptEnd::failed;
      state.line = failure_line(attempt.directory);
      if (state.line.empty() && missing) state.line = *missing;
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
    if (completed && line_.on_terminal()) return;
    const std::string place =
        fmt::format("[{}/{}]", summary_.done_before + summary_.completed + summary_.failed, summary_.total);
    if (completed) {
      line_.print(fmt::format("{} {} completed in {:.1f} s", place, attempt.run, seconds));
    } else {
      const ExitCodeInfo* info = find_exit_code(worker_exit_code(attempt).value_or(-1));
      line_.print(fmt::format("{} {} failed{} after {:.1f} s: {}", place, attempt.run,
                              info != nullptr ? fmt::format(" ({})", info->name) : "", seconds, state.line));
    }
  }

  Progress progress() const {
    Progress progress;
    progress.total = summary_.total;
    progress.done = summary_.done_before + summary_.completed;
    progress.failed = summary_.failed;
    progress.running = running_.size();
    double running_seconds = 0;
    const RunningAttempt* oldest = nullptr;
    for (const auto& [pid, running] : running_) {
      running_seconds += seconds_since(running.start);
      if (oldest == nullptr || running.start < oldest->start) oldest = &running;
    }
    if (oldest != nullptr) progress.running_name = oldest->attempt.run;
    const size_t finished = summary_.completed + summary_.failed;
    if (finished > 0) {
      const double each = seconds_in_runs_ / static_cast<double>(finished);
      const double all = each * static_cast<double>(pending_.size() + running_.size()) - running_seconds;
      progress.seconds_left = std::max(0.0, all) / options_.jobs;
    }
    return progress;
  }

  const Sweep& sweep_;
  const LaunchOptions& options_;
  BlockedSignals signals_;
  StatusLine line_;
  LaunchSummary summary_;
  std::deque<PendingRun> pending_;
  std::map<pid_t, RunningAttempt> running_;
  double seconds_in_runs_ = 0;
  bool stopping_ = false;
  std::exception_ptr launch_error_;  // thrown once all that runs has ended
  Clock::time_point kill_at_;
};

// Before the first attempt is written down: what is missing from the machine is no attempt's failure.
LaunchOptions checked(LaunchOptions options) {
  options.directory = std::filesystem::absolute(options.directory).lexically_normal().string();
  if (find_program(options.worker).empty()) {
    throw bad_input(fmt::format("{}: no worker there; `make build` makes it, or give --worker", options.worker));
  }
  if (find_program(options.mpirun).empty()) {
    throw bad_input(fmt::format(
        "{}: not found; install openmpi-bin, load the cluster's OpenMPI module, or give --mpirun", options.mpirun));
  }
  return options;
}

}  // namespace

std::string worker_beside_this_program() {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return (failed ? std::filesystem::path(".") : self.parent_path()) / "wansweep-worker";
}

LaunchSummary launch_locally(const Sweep& sweep, const Plan& plan, const LaunchOptions& options) {
  const LaunchOptions ready = checked(options);
  return LocalLauncher(sweep, plan, ready).run();
}

}  // namespace wansweep
