// Two verbs in one: --set makes a new sweep (correct), --failed makes new attempts in this one (retry). They share the
// sweep and --dry-run; --set and --where are refused with --failed, which takes every failed run as it is.
// Both hold the sweep's lock while they work, except --set --dry-run, which only reads. --failed asks Slurm before it
// looks for failed runs; when Slurm's answer is incomplete, it continues with what is known and returns the exit code
// for that. --where is SQL by the user: run_query accepts one statement, on a connection that cannot write.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "base/process.h"
#include "base/shell_quote.h"
#include "base/standard_output.h"
#include "orchestrator/cluster/poll.h"
#include "orchestrator/cluster/retry.h"
#include "orchestrator/cluster/settle.h"
#include "orchestrator/launch/local_launcher.h"
#include "orchestrator/rerun/rerun.h"
#include "orchestrator/rerun/retry_failed.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/store/query/query.h"
#include "orchestrator/sweep/probe_folder.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/sweep/sweep_lock.h"
#include "orchestrator/verbs/number_checks.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

// Checks --time-factor and --mem-factor. A factor of 1 would only fail again.
const CLI::Validator is_factor = number_above(1, 100);

struct RerunArguments {
  std::string sweep;
  std::vector<std::string> changes;
  std::string reason;
  std::string where;
  std::string name;
  std::string new_directory;
  std::string database;
  bool failed = false;
  bool dry_run = false;
  std::string worker;
  LaunchOptions launch;
  RetryFactors factors;
  int max_running = 0;
  std::string cluster;
};

// The runs for which WHERE is true, among those that are not superseded.
std::vector<std::string> runs_where(const RerunArguments& options, const std::string& directory) {
  Store store = open_store_readonly(options.database.empty() ? directory + "/results.db" : options.database);
  const std::string name = read_sweep_record(directory).name;
  // WHERE stands on lines of its own, so that a comment in it ends there.
  const std::string sql = fmt::format(
      "SELECT run FROM (SELECT u.*, g.ranks, g.plan, g.offload, g.flow_shift, g.schedule, g.size, g.frames, g.model_id "
      "FROM runs u JOIN run_settings g ON g.sweep = u.sweep AND g.run = u.run) WHERE sweep = '{}' AND (\n{}\n)",
      name, options.where);
  Table answer;
  try {
    answer = run_query(store, sql);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("--where {}: {}", options.where, error.what()));
  }
  std::vector<std::string> runs;
  for (const auto& row : answer.rows) runs.push_back(std::get<std::string>(row[0]));
  if (runs.empty()) throw bad_input(fmt::format("--where {}: true for no run of {}", options.where, name));
  return runs;
}

int correct(const RerunArguments& options, const std::string& directory) {
  if (options.changes.empty()) throw bad_input("rerun: give --set KEY=VALUE or --failed");
  if (options.reason.find_first_not_of(" \t\n") == std::string::npos && !options.dry_run) {
    throw bad_input("rerun: --reason is missing; the database keeps it with the old runs");
  }
  std::optional<SweepLock> lock;
  if (!options.dry_run) {
    lock.emplace(directory);
    complete_cut_off_reruns(directory);
  }
  RerunRequest request{directory, options.name, options.new_directory, {}, options.reason, options.where, {}};
  request.changes = parse_changes(options.changes);
  if (!options.where.empty()) request.chosen = runs_where(options, directory);
  const Rerun rerun = plan_rerun(request);
  if (rerun.configurations.empty()) {
    fmt::print("{}: nothing to rerun: {} runs have these settings already, and {} are superseded already\n", directory,
               rerun.unchanged, rerun.superseded);
    for (const Lineage& lineage : read_lineage_of_old(directory)) {
      fmt::print("replaced by {} ({}): {}\n", lineage.sweep, lineage.directory, lineage.reason);
    }
    return static_cast<int>(ExitCode::ok);
  }
  fmt::print("{}", rerun_as_text(rerun));
  if (options.dry_run) return static_cast<int>(ExitCode::ok);
  flush_standard_output();
  write_rerun(rerun);
  const std::string& made = rerun.lineage.directory;
  fmt::print(
      "\nnext:\n  wansweep run '{0}/sweep.toml' --dir '{0}'\n  wansweep gather '{1}'\n  wansweep compare '{1}' '{0}'\n",
      made, directory);
  return static_cast<int>(ExitCode::ok);
}

int retry_locally(const FailedRuns& failed, RerunArguments& options, const std::string& directory) {
  fmt::print("{}", failed_runs_as_text(failed));
  flush_standard_output();
  if (options.dry_run) return static_cast<int>(ExitCode::ok);
  options.launch.directory = directory;
  options.launch.again = true;
  options.launch.programs.worker = options.worker.empty() ? worker_beside_this_program() : options.worker;
  for (const auto& [run, attempt] : failed.attempts) options.launch.only.insert(run);
  const LaunchSummary summary = launch_locally(failed.sweep, failed.plan, options.launch);
  fmt::print("{} of {} failed runs done, {} failed again\n", summary.completed, summary.total, summary.failed);
  if (summary.interrupted) return interrupted_exit;
  const bool all_done = summary.failed == 0 && summary.left_alone == 0;
  return static_cast<int>(!all_done ? ExitCode::incomplete : ExitCode::ok);
}

// Throws bad_input before anything is read.
RetryGrants grants_of(const RerunArguments& options) {
  RetryGrants grants{options.factors, options.worker, options.max_running, std::nullopt};
  if (!options.worker.empty() && find_program(options.worker).empty()) {
    throw bad_input(fmt::format("--worker is {}, which is not a program", options.worker));
  }
  if (!options.cluster.empty()) grants.profile = read_profile(options.cluster);
  return grants;
}

int retry_on_slurm(const FailedRuns& failed, const RerunArguments& options, const RetryGrants& grants,
                   const std::string& directory) {
  const SlurmRetry retry = plan_slurm_retry(failed, directory, grants);
  fmt::print("{}", retry.text);
  flush_standard_output();
  if (options.dry_run) {
    for (const PlannedArray& array : retry.arrays) fmt::print("{}\n", preview_script(array, failed.sweep, directory));
    return static_cast<int>(ExitCode::ok);
  }
  for (const std::string& line : submit_arrays(retry.arrays, failed.sweep, directory, false).lines) {
    fmt::print("{}\n", line);
  }
  fmt::print("{} of {} failed runs submitted again; next: wansweep status {}\n", retry.runs, failed.attempts.size(),
             shell_word(directory));
  return static_cast<int>(retry.runs > 0 ? ExitCode::ok : ExitCode::bad_input);
}

// Asks Slurm for the newest states, so that a run that has just failed is retried too. Returns false when Slurm's
// answer is incomplete.
bool learn_from_slurm(const RerunArguments& options, const std::string& directory) {
  if (!options.dry_run) {
    for (const std::string& line : settle_submissions(directory)) fmt::print("{}\n", printable(line));
  }
  const SlurmPoll poll = poll_slurm(directory, true);
  for (const std::string& problem : poll.problems) fmt::print("unknown: {}\n", printable(problem));
  return poll.complete;
}

int retry(RerunArguments& options, const std::string& directory) {
  if (!options.changes.empty())
    throw bad_input("rerun: --failed retries runs unchanged and --set makes new runs; give one of them");
  if (!options.where.empty())
    throw bad_input("rerun: --failed retries all failed runs; --where is only possible with --set");
  const RetryGrants grants = grants_of(options);
  const SweepLock lock(directory);
  const bool learned_all = learn_from_slurm(options, directory);
  const FailedRuns on_slurm = find_failed_runs(directory, Launcher::slurm);
  const FailedRuns here = find_failed_runs(directory, Launcher::local);
  if (on_slurm.attempts.empty() && here.attempts.empty()) {
    fmt::print("{}: no run {}\n", directory, learned_all ? "has failed" : "is known to have failed");
  }
  int code = static_cast<int>(learned_all ? ExitCode::ok : ExitCode::scheduler_unavailable);
  if (!on_slurm.attempts.empty()) code = std::max(code, retry_on_slurm(on_slurm, options, grants, directory));
  if (!here.attempts.empty()) code = std::max(code, retry_locally(here, options, directory));
  return code;
}

}  // namespace

void add_rerun(CLI::App& app, Action& action) {
  auto options = std::make_shared<RerunArguments>();
  CLI::App* verb =
      app.add_subcommand("rerun", "Correct a sweep by a new one that supersedes it, or retry its failed runs");
  verb->add_option("SWEEP", options->sweep, "the sweep's directory, or its name")->required();
  verb->add_option("--set", options->changes,
                   "KEY=VALUE: change a setting of all chosen runs; KEY=catalog takes the catalog's value")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  verb->add_option("--reason", options->reason, "the reason, in a sentence; the database keeps it with the old runs");
  verb->add_option("--where", options->where,
                   "choose runs by an SQL condition on view `runs`, ranks, plan, offload, flow_shift, schedule, size, "
                   "frames, model_id");
  verb->add_option("--name", options->name, "name of the new sweep (default <name>-rerun<N>)");
  verb->add_option("--dir", options->new_directory, "directory of the new sweep (default: beside the old one)");
  verb->add_option("--db", options->database, "the database for --where (default SWEEP/results.db)");
  verb->add_flag("--failed", options->failed, "make new attempts of the failed runs, where they ran: here or in Slurm");
  verb->add_flag("--dry-run", options->dry_run, "show what would be done, and do nothing");
  verb->add_option("--jobs,-j", options->launch.jobs, "with --failed, on this machine: runs at a time (default 1)")
      ->check(whole_number(1, max_jobs));
  verb->add_option("--worker", options->worker,
                   "with --failed: path of wansweep-worker (default: beside wansweep; in Slurm, the last attempt's)");
  verb->add_option("--mpirun", options->launch.programs.mpirun,
                   "with --failed, on this machine: path of mpirun (default: the one in PATH)");
  verb->add_option("--time-factor", options->factors.time,
                   "with --failed, in Slurm: multiply the time limit of runs that ran out of time")
      ->check(is_factor);
  verb->add_option("--mem-factor", options->factors.memory,
                   "with --failed, in Slurm: multiply the memory of runs that ran out of host memory")
      ->check(is_factor);
  verb->add_option("--cluster", options->cluster,
                   "with --failed, in Slurm: a profile that replaces the submission's, for example a corrected one");
  verb->add_option("--max-running", options->max_running,
                   "with --failed, in Slurm: as for submit (default: the submission's)")
      ->check(whole_number(1, max_jobs));
  verb->footer(
      "The old sweep is not changed or deleted: its runs are marked as superseded, and the default views leave them "
      "out.\n"
      "Repeating a rerun does nothing. --set resolver=catalog replaces every setting that a wrong resolver decided.\n\n"
      "--failed in Slurm: runs that ran out of time or memory are retried only with --time-factor or --mem-factor; "
      "runs\n"
      "whose node failed are retried on other nodes. Runs whose settings cannot work are not retried, nor are "
      "cancelled\n"
      "runs, which `submit` submits again. Exit code 2 when no run can be retried.\n\n"
      "Examples:\n  wansweep rerun out/demo --set resolver=catalog --reason \"SGLang took it for Wan2.1\"\n"
      "  wansweep rerun out/demo --set flow_shift=12 --where \"ranks = 4 AND flow_shift = 3\" --dry-run\n"
      "  wansweep rerun out/demo --failed\n"
      "  wansweep rerun out/aces-offload --failed --time-factor 1.5 --mem-factor 2");
  verb->callback([options, &action] {
    action = [options] {
      const std::string directory = find_sweep_directory(options->sweep, options->database);
      refuse_probes(directory);
      return options->failed ? retry(*options, directory) : correct(*options, directory);
    };
  });
}

}  // namespace wansweep
