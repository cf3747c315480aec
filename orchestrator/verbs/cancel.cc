#include "orchestrator/cluster/cancel.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/exit_codes.h"
#include "base/printable.h"
#include "orchestrator/cluster/settle.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/sweep/sweep_lock.h"
#include "orchestrator/verbs/known_run.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct CancelArguments {
  std::string directory = ".";
  std::string run;
};

int cancel(const CancelArguments& options) {
  const SweepRecord record = read_sweep_record(options.directory);
  if (!options.run.empty()) {
    check_run_is_known(options.run, record, AttemptFolder(options.directory), options.directory);
  }
  const SweepLock lock(options.directory);
  for (const std::string& line : settle_submissions(options.directory)) fmt::print("{}\n", printable(line));
  const std::vector<std::string> jobs = cancel_live(options.directory, options.run);
  if (jobs.empty()) {
    fmt::print("{} has no job in Slurm\n", options.run.empty() ? "the sweep" : "run " + printable(options.run));
  } else {
    fmt::print("cancelled {}\n", fmt::join(jobs, " "));
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_cancel(CLI::App& app, Action& action) {
  auto options = std::make_shared<CancelArguments>();
  CLI::App* verb = app.add_subcommand("cancel", "Cancel a sweep's jobs in Slurm: all of them, or one run's");
  verb->add_option("DIR", options->directory, "the sweep's directory (default: the current one)");
  verb->add_option("--run", options->run, "cancel only this run");
  verb->footer(
      "Exit code 2 when the sweep has no such run or Slurm refuses, 20 when Slurm does not answer.\n\n"
      "Example:\n  wansweep cancel out/aces-offload");
  verb->callback([options, &action] { action = [options] { return cancel(*options); }; });
}

}  // namespace wansweep
