#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/exit_codes.h"
#include "base/standard_error.h"
#include "orchestrator/launch/local_launcher.h"
#include "orchestrator/launch/machine_fit.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/sweep/sweep_lock.h"
#include "orchestrator/verbs/number_checks.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct RunArguments {
  std::string jobs_file;
  LaunchOptions launch;
};

int sum_up(const LaunchSummary& summary, const RunArguments& options) {
  if (options.launch.quiet && summary.failed + summary.left_alone == 0 && !summary.interrupted) {
    return static_cast<int>(ExitCode::ok);
  }
  const size_t done = summary.done_before + summary.completed;
  const size_t left = summary.total - done - summary.failed - summary.left_alone;
  fmt::print("{} of {} runs done, {} failed{}{}\n", done, summary.total, summary.failed,
             summary.left_alone > 0 ? fmt::format(", {} left alone", summary.left_alone) : "",
             left > 0 ? fmt::format(", {} to go", left) : "");
  if (summary.interrupted) {
    fmt::print("repeat the same command to continue; finished runs are not run again\n");
    return interrupted_exit;
  }
  if (summary.failed > 0) {
    fmt::print("see `wansweep status {}`; repeat the same command to retry the failed runs\n",
               options.launch.directory);
    return static_cast<int>(ExitCode::incomplete);
  }
  return static_cast<int>(summary.left_alone > 0 ? ExitCode::incomplete : ExitCode::ok);
}

// Printed once, before anything runs; `plan` has the details.
void warn_of_drift(const Plan& plan, const std::string& jobs_file) {
  size_t count = 0;
  for (const PlannedConfiguration& c : plan.configurations) count += c.drift.empty() ? 0 : 1;
  if (count == 0) return;
  print_error("wansweep: {} of {} configurations differ from the model's official settings; see wansweep plan {}\n",
              count, plan.configurations.size(), jobs_file);
}

int run(RunArguments& options) {
  const Sweep sweep = read_sweep(options.jobs_file);
  Plan plan = make_plan(sweep);
  refuse_problems(plan);
  const std::optional<std::string> tight = check_machine_fits(plan, this_machine());
  if (!options.launch.quiet) {
    warn_of_drift(plan, options.jobs_file);
    if (tight) print_error("wansweep: {}\n", *tight);
  }
  std::string& directory = options.launch.directory;
  if (directory.empty()) directory = "out/" + sweep.name;
  create_sweep_directory(directory);
  const SweepLock lock(directory);
  keep_recorded_names(directory, plan);
  write_sweep_record(directory, sweep, plan);
  return sum_up(launch_locally(sweep, plan, options.launch), options);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunArguments>();
  options->launch.programs.worker = worker_beside_this_program();
  CLI::App* verb = app.add_subcommand("run", "Run a sweep on this machine with mpirun; finished runs are skipped");
  verb->add_option("JOBS", options->jobs_file, "the sweep, as TOML")->required();
  verb->add_option("--jobs,-j", options->launch.jobs, "runs at a time (default 1)")->check(whole_number(1, max_jobs));
  verb->add_option("--dir", options->launch.directory, "the sweep's directory (default out/<name of the sweep>)");
  verb->add_option("--worker", options->launch.programs.worker,
                   "path of wansweep-worker (default: the one beside wansweep)");
  verb->add_option("--mpirun", options->launch.programs.mpirun, "path of mpirun (default: the one in PATH)");
  verb->add_option("--sglang", options->launch.engines.sglang,
                   "for engine sglang: path of its program (default: sglang)");
  verb->add_option("--python", options->launch.engines.python,
                   "for engine diffusers: a Python that has diffusers (default: python3)");
  verb->add_flag("--quiet,-q", options->launch.quiet, "say only what fails: no progress, no summary");
  verb->footer(
      "Ctrl-C stops cleanly; the same command then continues. Exit code 17 when a run failed or was left alone because "
      "its\n"
      "state is unknown, 2 for bad input, 16 when another wansweep works in the directory, 130 after Ctrl-C.\n\n"
      "Example:\n  wansweep run jobs/demo.toml --jobs 2");
  verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace wansweep
