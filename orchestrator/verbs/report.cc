#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "base/standard_output.h"
#include "base/terminal/progress_line.h"
#include "orchestrator/answers/report/report.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct ReportArguments {
  std::string database;
  std::string sweep;
  std::string output = "report.html";
  bool quiet = false;
};

int report(const ReportArguments& options) {
  Store store = open_store_readonly(database_file(options.database));
  // The database in a sweep's directory holds its reruns too.
  std::error_code unknown;
  const bool named = options.sweep.empty() && std::filesystem::exists(options.database + "/sweep.json", unknown);
  ProgressLine line(stderr, progress_display(stderr, options.quiet));
  const Report report =
      make_report(store, named ? read_sweep_record(options.database).name : options.sweep, line.sink("wansweep"));
  line.clear();
  const OutputKind kind = write_output_file(options.output, to_html(report));
  // When the page goes to standard output, this line must not be in it.
  if (!options.quiet) {
    const std::string line = fmt::format("{}: sweep {}\n{}\n", printable(options.output), printable(report.sweep),
                                         printable(fmt::format("{}", fmt::join(report.verdict.headline, " "))));
    kind == OutputKind::file ? write_standard_output(line) : write_standard_error(line);
  }
  if (!report.missing.empty()) {
    print_error(
        "wansweep: gnuplot is not installed, so the page has tables in place of the pictures {}; install "
        "gnuplot-nox (Debian) or load its module\n",
        fmt::join(report.missing, ", "));
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto options = std::make_shared<ReportArguments>();
  CLI::App* verb = app.add_subcommand(
      "report",
      "Write one page about a sweep, as HTML: the verdict in sentences, tables, and pictures that gnuplot draws");
  verb->add_option("SWEEP", options->database, "the sweep's directory, or a database")->required();
  verb->add_option("--sweep", options->sweep,
                   "name of the sweep, when the database holds several (default: the directory's own)");
  verb->add_option("-o,--output", options->output, "the page to write (default report.html)");
  verb->add_flag("--quiet,-q", options->quiet, "say only what is wrong: no progress, no verdict");
  verb->footer("Example:\n  wansweep gather out/demo\n  wansweep report out/demo -o report.html");
  verb->callback([options, &action] { action = [options] { return report(*options); }; });
}

}  // namespace wansweep
