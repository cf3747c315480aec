#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/exit_codes.h"
#include "base/printable.h"
#include "base/shell_quote.h"
#include "base/terminal/progress_line.h"
#include "orchestrator/verbs/submit_options.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct SubmitVerb {
  SubmitArguments arguments;
  bool dry_run = false;
};

int print_scripts(const SubmitArguments& arguments) {
  const Sweep sweep = read_sweep(arguments.jobs_file);
  const Plan plan = make_plan(sweep);
  refuse_problems(plan);
  SubmitOptions options = submit_options(arguments, sweep);
  predict_times(arguments, plan, options);
  for (const PlannedArray& array : plan_arrays(runs_to_submit(options.directory, plan), options)) {
    fmt::print("{}\n", preview_script(array, sweep, options.directory));
  }
  return static_cast<int>(ExitCode::ok);
}

int submit(const SubmitVerb& given) {
  if (given.dry_run) return print_scripts(given.arguments);
  const PreparedSubmission prepared = prepare_submission(given.arguments);
  const std::string& directory = prepared.options.directory;
  if (prepared.runs > 0) {
    ProgressLine line(stderr, progress_display(stderr, given.arguments.quiet));
    const SubmitReport report = submit_arrays(prepared.arrays, prepared.sweep, directory, false, line.sink("wansweep"));
    line.clear();
    for (const std::string& job : report.lines) {
      if (!given.arguments.quiet) fmt::print("{}\n", printable(job));
    }
  }
  if (given.arguments.quiet) return static_cast<int>(ExitCode::ok);
  fmt::print("{} runs submitted; next: wansweep status {}\n", prepared.runs, shell_word(directory));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_submit(CLI::App& app, Action& action) {
  auto options = std::make_shared<SubmitVerb>();
  CLI::App* verb =
      app.add_subcommand("submit", "Submit a sweep to Slurm as job arrays; submitted and finished runs are skipped");
  add_submit_options(*verb, options->arguments);
  verb->add_flag("--dry-run", options->dry_run, "print the job scripts; write and submit nothing");
  verb->add_flag("--quiet,-q", options->arguments.quiet, "say only what is wrong: no progress, no jobs");
  verb->footer(
      "The command may be killed at any moment and repeated: no run is lost or submitted twice.\n"
      "Exit code 2 for bad input or a refusal by Slurm, 20 when Slurm does not answer or its answer cannot be read,\n"
      "16 when another wansweep works in the directory.\n\n"
      "There is one array for all runs that ask for the same resources. --max-running is divided among the arrays; "
      "when\n"
      "there are more arrays than that, some wait for others to end. It does not change arrays that Slurm has already; "
      "to\n"
      "change one of those: scontrol update JobId=ID ArrayTaskThrottle=N\n\n"
      "Example:\n  wansweep submit jobs/aces-offload.toml --cluster aces --max-running 4");
  verb->callback([options, &action] { action = [options] { return submit(*options); }; });
}

}  // namespace wansweep
