#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "base/standard_output.h"
#include "orchestrator/answers/perfetto.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

struct ExportArguments {
  std::string run;
  std::string database;
  std::string sweep;
  std::string perfetto;
};

Timeline find_timeline(const ExportArguments& options) {
  std::error_code unknown;
  if (fs::is_directory(options.run, unknown)) return read_timeline(fs::path(options.run).lexically_normal().string());
  if (options.database.empty()) {
    throw bad_input(fmt::format("{}: is not the directory of an attempt; to give the name of a run, add --db DATABASE",
                                options.run));
  }
  Store store = open_store_readonly(database_file(options.database));
  // The database in a sweep's directory holds its reruns too, and their runs may have the same names.
  const bool named = options.sweep.empty() && fs::exists(options.database + "/sweep.json", unknown);
  return load_timeline(store, options.run, named ? read_sweep_record(options.database).name : options.sweep);
}

int export_run(const ExportArguments& options) {
  const Timeline timeline = find_timeline(options);
  const OutputKind kind = write_output_file(options.perfetto, to_trace_events(timeline));
  // When the file is standard output, this line must not be in it.
  const std::string line = fmt::format("{}: {}, {} ranks; open it in ui.perfetto.dev\n", printable(options.perfetto),
                                       printable(timeline.attempt), timeline.ranks.size());
  kind == OutputKind::file ? write_standard_output(line) : write_standard_error(line);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExportArguments>();
  CLI::App* verb = app.add_subcommand("export", "Export the timeline of one run for other tools");
  verb->add_option("RUN", options->run, "the directory of an attempt, or the name of a run with --db")->required();
  verb->add_option("--db", options->database, "the database, or a sweep's directory that holds results.db");
  verb->add_option(
      "--sweep", options->sweep,
      "the sweep, when several sweeps in the database have a run of that name (default: the directory's own)");
  verb->add_option("--perfetto", options->perfetto, "file to write: trace events (JSON) for ui.perfetto.dev")
      ->required();
  verb->footer("Example:\n  wansweep export out/demo/attempts/NAME-a1 --perfetto run.json");
  verb->callback([options, &action] { action = [options] { return export_run(*options); }; });
}

}  // namespace wansweep
