#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/shell_quote.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/verbs/known_run.h"
#include "orchestrator/verbs/verbs.h"
#include "schema/completion.h"

namespace wansweep {
namespace {

struct LogsArguments {
  std::string run;
  std::string directory = ".";
};

// Keeps tabs, and a carriage return at the end of a line.
std::string printable_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::string shown;
  for (;;) {
    const size_t tab = line.find('\t');
    shown += printable(line.substr(0, tab));
    if (tab == line.npos) return shown;
    shown += '\t';
    line.remove_prefix(tab + 1);
  }
}

// Prints a file. Returns false when it does not exist or is empty.
bool print_file(const std::string& file) {
  std::optional<std::string> text;
  try {
    text = read_text_if_there(file);
  } catch (const Error& error) {
    fmt::print("--- {}\n", printable(error.what()));
    return true;
  }
  if (!text || text->empty()) return false;
  fmt::print("--- {}\n", printable(file));
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) fmt::print("{}\n", printable_line(line));
  return true;
}

bool print_failure(const std::string& attempt) {
  try {
    const std::optional<Failure> failure = read_failure(attempt);
    if (failure) fmt::print("--- why it ended\n{}\n", printable(failure->line));
    return failure.has_value();
  } catch (const Error& error) {
    fmt::print("--- {}\n", printable(error.what()));
    return true;
  }
}

int print_logs(const LogsArguments& options) {
  std::error_code unknown;
  if (options.directory == "." && !std::filesystem::exists("sweep.json", unknown) && !unknown) {
    throw bad_input(
        fmt::format("logs: the current directory is not a sweep's; add --dir with the sweep's directory, for example "
                    "wansweep logs {} --dir out/demo",
                    shell_word(options.run)));
  }
  const SweepRecord record = read_sweep_record(options.directory);
  const AttemptFolder attempts(options.directory);
  check_run_is_known(options.run, record, attempts, options.directory);
  const Attempt* attempt = attempts.newest_of(options.run);
  if (attempt == nullptr) {
    const std::string* block = attempts.block_of(options.run);
    if (block != nullptr) throw bad_input(*block);
    throw bad_input(
        fmt::format("{}: has no attempt yet; see wansweep status {}", options.run, shell_word(options.directory)));
  }
  std::vector<std::string> files{attempt->directory + "/stdout.log", attempt->directory + "/stderr.log"};
  if (!attempt->submission.empty()) {
    files.push_back(
        fmt::format("{}/submissions/{}/slurm-{}.out", options.directory, attempt->submission, attempt->index));
  }
  size_t printed = 0;
  for (const std::string& file : files) printed += print_file(file) ? 1 : 0;
  // The worker's own reason comes last, since in the log the launcher's lines follow it.
  printed += print_failure(attempt->directory) ? 1 : 0;
  if (printed == 0) fmt::print("{}: attempt {} printed nothing\n", printable(options.run), attempt->number);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_logs(CLI::App& app, Action& action) {
  auto options = std::make_shared<LogsArguments>();
  CLI::App* verb = app.add_subcommand("logs", "Print the output of a run's newest attempt, and Slurm's output on it");
  verb->add_option("RUN", options->run, "name of the run, as `wansweep status` lists it")->required();
  verb->add_option("--dir", options->directory, "the sweep's directory (default: the current one)");
  verb->footer("Example:\n  wansweep logs r4-swap-shift12-1f0c93ab-1 --dir out/demo");
  verb->callback([options, &action] { action = [options] { return print_logs(*options); }; });
}

}  // namespace wansweep
