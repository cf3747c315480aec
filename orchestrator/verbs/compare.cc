#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "orchestrator/answers/compare.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

struct CompareArguments {
  std::string before;
  std::string after;
  std::string database;
  bool csv = false;
  bool json = false;
};

// The first database that has complete runs of the sweep: a rerun is gathered with the sweep that it corrects.
ComparedSweep load(const std::string& name, const std::vector<std::string>& databases) {
  for (const std::string& database : databases) {
    if (!std::filesystem::is_regular_file(database)) continue;
    Store store = open_store_readonly(database);
    ComparedSweep sweep = load_sweep(store, name);
    if (!sweep.configurations.empty()) return sweep;
  }
  throw bad_input(
      fmt::format("{}: no complete run of it in {}; run `wansweep gather` first", name, fmt::join(databases, ", ")));
}

int compare(const CompareArguments& options) {
  std::string names[2]{options.before, options.after};
  std::vector<std::string> databases{options.database};
  if (options.database.empty()) databases.clear();
  for (std::string& name : names) {
    if (!options.database.empty() && !std::filesystem::is_directory(name)) continue;
    const std::string directory = find_sweep_directory(name, "");
    if (options.database.empty()) databases.push_back(directory + "/results.db");
    name = read_sweep_record(directory).name;
  }
  const ComparedSweep before = load(names[0], databases);
  const ComparedSweep after = load(names[1], databases);
  const Comparison comparison = compare_sweeps(before, after);
  const Table table = table_of(comparison);
  if (options.csv || options.json) {
    fmt::print("{}", options.csv ? to_csv(table) : to_json(table));
  } else {
    fmt::print("{}\n{}", sentence_of(comparison), text_of(comparison));
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  auto options = std::make_shared<CompareArguments>();
  CLI::App* verb = app.add_subcommand("compare", "What changed from one sweep to another, beyond the repeats' spread");
  verb->add_option("OLD", options->before, "a sweep's directory, or its name")->required();
  verb->add_option("NEW", options->after, "the other's")->required();
  verb->add_option("--db", options->database, "a database that has both (default: results.db of the two sweeps)");
  CLI::Option* csv = verb->add_flag("--csv", options->csv, "as CSV (RFC 4180)");
  verb->add_flag("--json", options->json, "as a JSON list of objects")->excludes(csv);
  verb->footer(
      "Before and after are medians over the repeats. `changed`: the 95 % interval of the change (percentile "
      "bootstrap,\n"
      "10,000 resamples, fixed seed) excludes zero. Fewer than three repeats on a side: nothing is claimed.\n\n"
      "Example:\n  wansweep compare out/demo out/demo-rerun1");
  verb->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace wansweep
