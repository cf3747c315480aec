#include <fmt/format.h>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "base/terminal/progress_line.h"
#include "base/text_table.h"
#include "orchestrator/store/file_system.h"
#include "orchestrator/store/gather.h"
#include "orchestrator/store/lineage.h"
#include "orchestrator/sweep/probe_folder.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct GatherArguments {
  std::string directory;
  std::string database;
  bool quiet = false;
};

// Ends the program as if nothing caught the signal, after a word. An attempt is written whole or not at all.
void say_interrupted(int signal) {
  constexpr std::string_view line = "\nwansweep: interrupted; what is gathered stays, and the same command goes on\n";
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// Each problem names a damaged file. Everything that could be read is in the database, and the exit code tells that
// something is missing.
int run_gather(const GatherArguments& options) {
  if (std::signal(SIGINT, say_interrupted) == SIG_IGN) std::signal(SIGINT, SIG_IGN);  // as nohup wants
  refuse_probes(options.directory);
  refuse_without_attempts(options.directory);  // before a database is made there
  const std::string path = options.database.empty() ? options.directory + "/results.db" : options.database;
  Store store = open_store(path);
  if (!store.upgraded_from.empty() && !options.quiet) {
    print_error("wansweep: {}: upgraded; the old version is kept in {}\n", printable(path),
                printable(store.upgraded_from));
  }
  if (const FileSystem kind = file_system_of(path); kind != FileSystem::local && !options.quiet) {
    print_error(
        "wansweep: {}: the file system is {}, so the database uses a rollback journal, which is slower but safe\n",
        printable(path), to_string(kind));
  }
  bool damaged = false;
  for (const std::string& directory : with_reruns(options.directory)) {
    ProgressLine line(stderr, progress_display(stderr, options.quiet));
    const GatherReport report = gather(directory, store, {.progress = line.sink("wansweep")});
    line.clear();
    damaged = damaged || !report.problems.empty();
    for (const std::string& problem : report.problems) print_error("wansweep: {}\n", printable(problem));
    if (options.quiet) continue;
    for (const std::string& note : report.notes) print_error("wansweep: note: {}\n", printable(note));
    const std::string left_out =
        report.left_out == 0 ? "" : fmt::format(", {} of them replaced by a later one", report.left_out);
    fmt::print("{}: {}{}{}: {} added, {} replaced, {} unchanged, {} kept; {} events in {:.1f} s\n", printable(path),
               directory == options.directory ? "" : printable(directory) + ": ", count_of(report.attempts, "attempt"),
               left_out, report.added, report.replaced, report.unchanged, report.kept, report.events, report.seconds);
  }
  return static_cast<int>(damaged ? ExitCode::incomplete : ExitCode::ok);
}

}  // namespace

void add_gather(CLI::App& app, Action& action) {
  auto options = std::make_shared<GatherArguments>();
  CLI::App* verb = app.add_subcommand(
      "gather", "Read the attempts of a sweep and of its reruns into its database; repeating it changes nothing");
  verb->add_option("DIR", options->directory, "the sweep's directory")->required();
  verb->add_option("--db", options->database, "the database (default DIR/results.db)");
  verb->add_flag("--quiet,-q", options->quiet, "say only what is wrong: no progress, no summary");
  verb->footer(
      "Exit code 17 when files are damaged, 16 when another process writes the database.\n\n"
      "Example:\n  wansweep gather out/demo");
  verb->callback([options, &action] { action = [options] { return run_gather(*options); }; });
}

}  // namespace wansweep
