#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/exit_codes.h"
#include "base/printable.h"
#include "base/terminal/progress_line.h"
#include "base/shell_quote.h"
#include "orchestrator/verbs/submit_options.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct SubmitVerb {
  SubmitArguments arguments;
  bool dry_run = false;
  bool quiet = false;
};

int print_scripts(const SubmitArguments& arguments) {
  const Sweep sweep = read_sweep(arguments.jobs_file);
  const Plan plan = make_plan(sweep);
  refuse_problems(plan);
  const SubmitOptions options = submit_options(arguments, sweep);
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
    ProgressLine line(stderr, progress_display(stderr, given.quiet));
    const SubmitReport report = submit_arrays(prepared.arrays, prepared.sweep, directory, false, line.sink("wansweep"));
    line.clear();
    for (const std::string& job : report.lines) {
      if (!given.quiet) fmt::print("{}\n", printable(job));
    }
  }
  if (given.quiet) return static_cast<int>(ExitCode::ok);
  fmt::print("{} runs submitted; next: wansweep status {}\n", prepared.runs, shell_word(directory));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_submit(CLI::App& app, Action& action) {
  auto options = std::make_shared<SubmitVerb>();
  CLI::App* verb =
      app.add_subcommand("submit", "Submit a sweep to Slurm, as job arrays; skip what is submitted or done");
  add_submit_options(*verb, options->arguments);
  verb->add_flag("--dry-run", options->dry_run, "print the job scripts, and write and submit nothing");
  verb->add_flag("--quiet,-q", options->quiet, "say only what is wrong: no progress, no jobs");
  verb->footer(
      "Killed at any moment, the same command goes on: no run is submitted twice, and none is forgotten.\n"
      "Exit code 2 for bad input and for what Slurm refuses, 20 when Slurm does not answer or its answer cannot be\n"
      "read, 16 when another wansweep is at work in the directory.\n\n"
      "--max-running is shared out over the arrays (one a shape of resources), and arrays for which it does not\n"
      "suffice wait for others to end. It holds for what is submitted with it, not for what is in Slurm without it.\n"
      "Of an array that is in Slurm: scontrol update JobId=ID ArrayTaskThrottle=N\n\n"
      "Example:\n  wansweep submit jobs/aces-offload.toml --cluster aces --max-running 4");
  verb->callback([options, &action] { action = [options] { return submit(*options); }; });
}

}  // namespace wansweep
