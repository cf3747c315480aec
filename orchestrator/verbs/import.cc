#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "base/standard_error.h"
#include "base/text_table.h"
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

// "FILE: NOTE" of each rank's file once, as "FILE and 3 more files: NOTE". Notes are alike where they differ in numbers
// only.
std::vector<std::string> with_ranks_together(const std::vector<std::string>& notes) {
  struct Alike {
    std::string file, note, kind;
    int64_t more = 0;
  };
  std::vector<Alike> all;
  for (const std::string& line : notes) {
    const size_t end = line.find(": ");
    Alike one{line.substr(0, end), end == line.npos ? "" : line.substr(end), "", 0};
    one.kind = one.note;
    std::erase_if(one.kind, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    const auto same = std::ranges::find_if(
        all, [&](const Alike& each) { return !one.kind.empty() && each.kind == one.kind && each.file != one.file; });
    if (same == all.end()) {
      all.push_back(std::move(one));
    } else {
      ++same->more;
    }
  }
  std::vector<std::string> lines;
  for (const Alike& each : all) {
    const std::string more = each.more > 0 ? fmt::format(" and {}", count_of(each.more, "more file")) : "";
    lines.push_back(each.file + more + each.note);
  }
  return lines;
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
  for (const std::string& note : with_ranks_together(report.notes)) {
    print_error("wansweep: note: {}\n", printable(note));
  }
  if (report.unchanged) {
    fmt::print("{}: these files are imported already; nothing was changed\n", printable(report.attempt));
  } else {
    fmt::print("{}: files of {}, {}, {}\n", printable(report.attempt), count_of(report.ranks, "rank"),
               count_of(report.steps, "step"), count_of(report.events, "event"));
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
