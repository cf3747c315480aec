#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "orchestrator/answers/compare.h"
#include "orchestrator/store/find_sweep.h"
#include "orchestrator/store/lineage.h"
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

// One of the two sweeps: its name, its directory (empty: any sweep of that name in the database), and its database.
struct Wanted {
  std::string name;
  std::string directory;
  std::string database;
};

// The sweep of a database that holds only one.
Wanted only_sweep_of(const std::string& database) {
  Store store = open_store_readonly(database);
  const std::vector<std::string> names = stored_sweeps(store);
  if (names.size() == 1) return {names.front(), "", database};
  throw bad_input(fmt::format("{}: holds {} sweeps{}{}; give the names of two: wansweep compare OLD NEW --db {}",
                              database, names.size(), names.empty() ? "" : ": ", fmt::join(names, ", "), database));
}

Wanted wanted(const std::string& argument, const std::string& database) {
  std::error_code unknown;
  if (!database.empty() && !std::filesystem::is_directory(argument, unknown)) return {argument, "", database};
  if (std::filesystem::is_regular_file(argument, unknown)) return only_sweep_of(argument);
  const bool of_imports = !std::filesystem::exists(argument + "/sweep.json", unknown) &&
                          std::filesystem::is_directory(argument + "/attempts", unknown);
  const std::string directory = of_imports ? argument : find_sweep_directory(argument, "");
  return {sweep_name_of(directory), absolute_directory(directory),
          database_file(database.empty() ? directory : database)};
}

// Whether the sweep of that name in `store` is the wanted one. Since another sweep may have the same name, the
// directory identifies it. Three cases count as the same: the database lies in the sweep's own directory (also if both
// were copied), the recorded directory no longer exists (the sweep was moved), or `beside` lists the directory (that of
// the database and those of its reruns).
bool holds(Store& store, const Wanted& sweep, const std::vector<std::string>& beside) {
  const std::optional<std::string> found = stored_directory(store, sweep.name);
  if (!found || sweep.directory.empty()) return found.has_value();
  std::error_code unknown;
  for (const std::string& directory : {*found, std::filesystem::absolute(store.path).parent_path().string()}) {
    if (absolute_directory(directory) == sweep.directory) return true;
    if (std::filesystem::equivalent(directory, sweep.directory, unknown)) return true;
  }
  const bool related = std::find(beside.begin(), beside.end(), sweep.directory) != beside.end();
  return related && !std::filesystem::exists(*found + "/sweep.json", unknown);
}

// Reads the sweep from a database that holds it: its own, or that of the sweep it is compared with, since a rerun is
// gathered together with the sweep that it corrects.
ComparedSweep load(const Wanted& sweep, const Wanted& other_sweep) {
  std::vector<std::string> databases;
  std::optional<std::string> namesake;
  for (const Wanted& place : {sweep, other_sweep}) {
    const std::string& file = place.database;
    if (std::find(databases.begin(), databases.end(), file) != databases.end()) continue;
    databases.push_back(file);
    std::error_code unknown;
    if (!std::filesystem::exists(file, unknown)) continue;
    Store store = open_store_readonly(file);
    std::vector<std::string> beside;
    if (!place.directory.empty()) beside = with_reruns(place.directory);
    for (std::string& one : beside) one = absolute_directory(one);
    if (!holds(store, sweep, beside)) {
      if (const auto other = stored_directory(store, sweep.name)) {
        namesake = fmt::format("{}: its sweep {} is from {}, not from {}; gather the latter into a database of its own",
                               file, sweep.name, *other, sweep.directory);
      }
      continue;
    }
    ComparedSweep loaded = load_sweep(store, sweep.name);
    if (!loaded.configurations.empty()) return loaded;
  }
  if (namesake) throw bad_input(*namesake);
  throw bad_input(fmt::format("{}: {} holds no complete run of this sweep; run `wansweep gather` first", sweep.name,
                              fmt::join(databases, ", ")));
}

int compare(const CompareArguments& options) {
  const std::string database = options.database.empty() ? "" : database_file(options.database);
  const Wanted old_sweep = wanted(options.before, database);
  const Wanted new_sweep = wanted(options.after, database);
  ComparedSweep before = load(old_sweep, new_sweep);
  ComparedSweep after = load(new_sweep, old_sweep);
  if (before.name == after.name &&
      (old_sweep.directory != new_sweep.directory || old_sweep.database != new_sweep.database)) {
    before.name = options.before;
    after.name = options.after;
  }
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
  CLI::App* verb =
      app.add_subcommand("compare", "Compare two sweeps: what changed by more than the spread of the repeats");
  verb->add_option("OLD", options->before,
                   "the old sweep: its directory, also one of imports; its name; or a database that holds only it")
      ->required();
  verb->add_option("NEW", options->after, "the new sweep, likewise")->required();
  verb->add_option("--db", options->database, "a database that holds both (default: each sweep's own results.db)");
  CLI::Option* csv = verb->add_flag("--csv", options->csv, "as CSV (RFC 4180)");
  verb->add_flag("--json", options->json, "as a JSON list of objects")->excludes(csv);
  verb->footer(
      "Before and after are medians over the repeats. A value is marked `changed` when the 95 % interval of the "
      "change\n"
      "(percentile bootstrap, 10,000 resamples, fixed seed) excludes zero. With fewer than three repeats on a side,\n"
      "nothing is claimed. Overhead is the median total compared with the resident runs' median total, as in "
      "`query DIR offload_comparison`;\n"
      "its interval keeps the runs of one repeat together.\n\n"
      "Example:\n  wansweep compare out/demo out/demo-rerun1");
  verb->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace wansweep
