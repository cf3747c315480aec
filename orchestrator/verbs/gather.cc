#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "base/terminal/progress_line.h"
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

// Each problem names a damaged file. Everything that could be read is in the database, and the exit code tells that
// something is missing.
int run_gather(const GatherArguments& options) {
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
    fmt::print("{}: {}{} attempts: {} added, {} replaced, {} unchanged, {} kept; {} events in {:.1f} s\n",
               printable(path), directory == options.directory ? "" : printable(directory) + ": ", report.attempts,
               report.added, report.replaced, report.unchanged, report.kept, report.events, report.seconds);
  }
  return static_cast<int>(damaged ? ExitCode::incomplete : ExitCode::ok);
}

}  // namespace

void add_gather(CLI::App& app, Action& action) {
  auto options = std::make_shared<GatherArguments>();
  CLI::App* verb = app.add_subcommand(
      "gather", "Read the attempts of a sweep and of its reruns into its database; repeating it changes nothing");
  verb->add_option("DIR", options->directory, "the sweep's directory")->required()->check(CLI::ExistingDirectory);
  verb->add_option("--db", options->database, "the database (default DIR/results.db)");
  verb->add_flag("--quiet,-q", options->quiet, "say only what is wrong: no progress, no summary");
  verb->footer(
      "Exit code 17 when files are damaged, 16 when another process writes the database.\n\n"
      "Example:\n  wansweep gather out/demo");
  verb->callback([options, &action] { action = [options] { return run_gather(*options); }; });
}

}  // namespace wansweep
