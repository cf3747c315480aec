#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "orchestrator/imports/import_run.h"
#include "orchestrator/rerun/rerun.h"
#include "orchestrator/verbs/number_checks.h"
#include "orchestrator/verbs/verbs.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

constexpr int most_repeats = 10'000;

struct ImportArguments {
  ImportRequest request;
  std::string attempt;
  std::vector<std::string> changes;
};

ImportReport import_files(ImportArguments& arguments) {
  ImportRequest& request = arguments.request;
  if (request.files.empty()) throw bad_input("import: give FILES, or --attempt DIR");
  if (request.run.empty()) throw bad_input("import: --run NAME is missing; it names the run in the database");
  for (const Change& change : parse_changes(arguments.changes)) {
    // A path stays as it was written: the run was made elsewhere, and SGLang goes by the text.
    if (find_field(change.key)->is_path()) {
      set_field(request.settings, change.key, change.value, "--set");
    } else {
      apply_change(request.settings, change);
    }
  }
  return import_run(request);
}

int import(ImportArguments& arguments) {
  const bool of_attempt = !arguments.attempt.empty();
  if (of_attempt && (!arguments.request.files.empty() || !arguments.request.run.empty() || arguments.request.replace)) {
    throw bad_input(
        "import: --attempt reads the files of its engine; FILES, --run and --replace are for a run made "
        "elsewhere");
  }
  const ImportReport report =
      of_attempt ? import_attempt(arguments.attempt, arguments.request.kernels) : import_files(arguments);
  for (const std::string& note : report.notes) print_error("wansweep: note: {}\n", printable(note));
  if (report.unchanged) {
    fmt::print("{}: these files are imported already; nothing was changed\n", printable(report.attempt));
  } else {
    fmt::print("{}: files of {} rank{}, {} steps, {} events\n", printable(report.attempt), report.ranks,
               report.ranks == 1 ? "" : "s", report.steps, report.events);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_import(CLI::App& app, Action& action) {
  auto options = std::make_shared<ImportArguments>();
  options->request.directory = "out/imported";
  CLI::App* verb = app.add_subcommand(
      "import",
      "Add a run made elsewhere, from files of SGLang, diffusers or a profiler; repeating it changes nothing");
  verb->add_option(
      "FILES", options->request.files,
      "files of all ranks: perf dump (--perf-dump-path), traces of the PyTorch profiler (.json, .json.gz),\n"
      "SQLite exports of Nsight Systems, step records of diffusers_run.py, logs of SGLang");
  verb->add_option("--run", options->request.run, "name of the run");
  verb->add_option("--dir", options->request.directory, "the sweep's directory (default out/imported)");
  verb->add_option("--repeat", options->request.repeat, "number of the repeat of its configuration (default 1)")
      ->check(whole_number(1, most_repeats));
  verb->add_flag("--replace", options->request.replace,
                 "put these files and settings in place of those that the run has; what it had stays as an earlier\n"
                 "attempt");
  verb->add_option(
          "--set", options->changes,
          "a setting of the run, KEY=VALUE; engine and offload are needed where no file tells them, other\n"
          "settings may stay unknown; model and engine_version tell what SGLang took for the path, and model_id what\n"
          "is right")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  verb->add_option("--kernels", options->request.kernels,
                   "TOML file of kernel classes by name, which come before wansweep's own");
  verb->add_option("--attempt", options->attempt,
                   "directory of an attempt whose engine has ended: import the files that it wrote");
  verb->footer(
      "Then: wansweep gather out/imported; wansweep query out/imported offload_comparison\n\n"
      "Example:\n"
      "  wansweep import perf.json run.log logs/*-rank*.trace.json.gz --run swap-4gpu --set engine_version=0.5.9 \\\n"
      "    --set offload=swap --set flow_shift=12 --set boundary_ratio=0.875");
  verb->callback([options, &action] { action = [options] { return import(*options); }; });
}

}  // namespace wansweep
