#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <memory>
#include <string>

#include "base/error.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct LogsArguments {
  std::string run;
  std::string directory = ".";
};

void print_file(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || stream.peek() == std::ifstream::traits_type::eof()) return;
  fmt::print("--- {}\n", file);
  for (std::string line; std::getline(stream, line);) fmt::print("{}\n", line);
}

int print_logs(const LogsArguments& options) {
  const SweepRecord record = read_sweep_record(options.directory);
  const AttemptFolder attempts(options.directory);
  const Attempt* newest = attempts.newest_of(options.run);
  if (newest == nullptr) {
    if (const std::string* block = attempts.block_of(options.run)) throw bad_input(*block);
    const bool listed = std::any_of(record.runs.begin(), record.runs.end(),
                                    [&](const ListedRun& run) { return run.run == options.run; });
    throw bad_input(fmt::format("{}: {}; see `wansweep status {}`", options.run,
                                listed ? "has no attempt yet" : "the sweep has no such run", options.directory));
  }
  const Attempt& attempt = *newest;
  print_file(attempt.directory + "/stdout.log");
  print_file(attempt.directory + "/stderr.log");
  if (!attempt.submission.empty()) {
    print_file(fmt::format("{}/submissions/{}/slurm-{}.out", options.directory, attempt.submission, attempt.index));
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_logs(CLI::App& app, Action& action) {
  auto options = std::make_shared<LogsArguments>();
  CLI::App* verb = app.add_subcommand("logs", "Print what a run's newest attempt said, and Slurm's own words on it");
  verb->add_option("RUN", options->run, "as `wansweep status` lists it")->required();
  verb->add_option("--dir", options->directory, "the sweep's directory (default: the current one)");
  verb->footer("Example:\n  wansweep logs r4-swap-shift12-1f0c93ab-1 --dir out/demo");
  verb->callback([options, &action] { action = [options] { return print_logs(*options); }; });
}

}  // namespace wansweep
