// Each `run` and `submit` writes sweep.json again. The sweep's file may have been edited in between, so runs that only
// the older version listed are kept under "earlier": their jobs may be in Slurm, and `status` must show them.

#include "orchestrator/sweep/sweep_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string file_of(const std::string& directory) { return directory + "/sweep.json"; }

std::vector<ListedRun> runs_from(const Json& list) {
  std::vector<ListedRun> runs;
  for (const Json& run : list) runs.push_back({run.at("run"), run.at("config"), run.at("repeat")});
  return runs;
}

Json to_json(const std::vector<ListedRun>& runs) {
  Json list = Json::array();
  for (const ListedRun& run : runs) list.push_back({{"run", run.run}, {"config", run.config}, {"repeat", run.repeat}});
  return list;
}

// The record, and the parts of it that the next record keeps.
struct Contents {
  SweepRecord record;
  EarlierMatrix last;  // the matrix of `record.runs`
  Json specs;          // by hash
};

// nullopt when there is no record. Throws bad_input.
std::optional<Contents> read_contents(const std::string& directory) {
  const std::string file = file_of(directory);
  const std::optional<Json> json = read_json_object_if_there(file);
  if (!json) return std::nullopt;
  try {
    Contents contents;
    SweepRecord& record = contents.record;
    record.name = json->at("sweep");
    record.file = json->at("file");
    record.runs = runs_from(json->at("runs"));
    for (const Json& matrix : json->value("earlier", Json::array())) {
      record.earlier.push_back({matrix.at("matrix_sha256"), matrix.at("matrix"), runs_from(matrix.at("runs"))});
    }
    contents.last = {json->value("matrix_sha256", ""), json->value("matrix", ""), record.runs};
    contents.specs = json->value("specs", Json::object());
    return contents;
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not a sweep record: {}", file, json_problem(error)));
  }
}

Contents read_contents_or_refuse(const std::string& directory) {
  std::optional<Contents> contents = read_contents(directory);
  if (contents) return *std::move(contents);
  refuse_imports(directory);
  std::error_code unknown;
  const bool is_there = fs::exists(directory, unknown) || unknown;
  const char* problem = is_there ? "is not a sweep's directory (it has no sweep.json)" : "no such directory";
  throw bad_input(fmt::format("{} {}; give the directory of `wansweep run` or `submit`",
                              directory == "." ? "the current directory" : directory + ":", problem));
}

std::vector<ListedRun> runs_of(const Plan& plan) {
  std::vector<ListedRun> runs;
  for (int repeat = 1; repeat <= plan.repeats; ++repeat) {
    for (const PlannedConfiguration& c : plan.configurations) runs.push_back({run_name(c, repeat), c.hash, repeat});
  }
  return runs;
}

// The runs that were listed before and are not listed now. A run stays with the last matrix that had it.
std::vector<EarlierMatrix> earlier_matrices(const Contents& before, const std::vector<ListedRun>& now) {
  std::set<std::string> listed;
  for (const ListedRun& run : now) listed.insert(run.run);
  std::vector<EarlierMatrix> earlier = before.record.earlier;
  earlier.push_back(before.last);
  std::for_each(earlier.rbegin(), earlier.rend(), [&](EarlierMatrix& matrix) {
    std::erase_if(matrix.runs, [&](const ListedRun& run) { return !listed.insert(run.run).second; });
  });
  std::erase_if(earlier, [](const EarlierMatrix& matrix) { return matrix.runs.empty(); });
  return earlier;
}

// The absolute paths of model and inputs in earlier configurations.
using RecordedPaths = std::set<std::pair<std::string, std::string>>;

RecordedPaths paths_recorded_in(const Contents& contents, const std::string& file) {
  RecordedPaths paths;
  for (const auto& [hash, spec] : contents.specs.items()) {
    const RunSettings settings = settings_from_json(spec, file);
    paths.emplace(settings.model, settings.inputs);
  }
  return paths;
}

// Older versions listed only absolute paths. If the record has the same settings with files of the same relative path
// in another place, the project was moved: each run would be repeated and count twice.
void refuse_moved_project(const std::string& directory, const RunSettings& now, RunSettings by_absolute_paths,
                          const RecordedPaths& recorded_paths, const std::map<std::string, std::string>& names) {
  const auto ends_as_written = [&](const char* setting, const std::string& path) {
    const std::string written = written_path(now, setting);
    return written.empty() || path.ends_with("/" + written);
  };
  for (const auto& [model, inputs] : recorded_paths) {
    if (!ends_as_written("model", model) || !ends_as_written("inputs", inputs)) continue;
    by_absolute_paths.model = model;
    by_absolute_paths.inputs = inputs;
    if (!names.contains(settings_hash(by_absolute_paths))) continue;
    throw bad_input(fmt::format(
        "{}: an earlier wansweep made this sweep with model {}, which is now {}; its runs would be repeated and "
        "count twice: run the sweep from the project's old place, or give another --dir",
        directory, model, now.model));
  }
}

}  // namespace

void refuse_imports(const std::string& directory) {
  std::error_code none;
  if (fs::exists(file_of(directory), none)) return;
  for (const auto& entry : fs::directory_iterator(directory + "/attempts", none)) {
    if (!fs::is_directory(entry.path() / "imported", none)) continue;
    throw bad_input(
        fmt::format("{0}: holds imports, which have no sweep's file: `wansweep query {0} runs` shows them", directory));
  }
}

void create_sweep_directory(const std::string& directory) {
  make_directories(directory);
  const std::string attempts = directory + "/attempts";
  struct stat status {};
  if (::lstat(attempts.c_str(), &status) == 0 && S_ISLNK(status.st_mode) && status.st_uid != 0 &&
      status.st_uid != ::geteuid()) {
    throw Error(ExitCode::output,
                fmt::format("{}: is a symbolic link of user {}; a directory is needed", attempts, status.st_uid));
  }
  make_directories(attempts);
}

void keep_recorded_names(const std::string& directory, Plan& plan) {
  const std::optional<Contents> contents = read_contents(directory);
  if (!contents) return;
  const RecordedPaths recorded_paths = paths_recorded_in(*contents, file_of(directory));
  std::map<std::string, std::string> names;  // by hash
  for (const ListedRun& run : contents->record.runs) names.emplace(run.config, configuration_of(run));
  for (PlannedConfiguration& c : plan.configurations) {
    if (names.contains(c.hash)) continue;
    RunSettings by_absolute_paths = c.spec;
    for (auto& [name, origin] : by_absolute_paths.origins) origin.written.clear();
    const auto recorded = names.find(settings_hash(by_absolute_paths));
    if (recorded == names.end()) {
      refuse_moved_project(directory, c.spec, by_absolute_paths, recorded_paths, names);
      continue;
    }
    c.spec = std::move(by_absolute_paths);
    c.hash = recorded->first;
    c.name = recorded->second;
  }
}

void write_sweep_record(const std::string& directory, const Sweep& sweep, const Plan& plan) {
  const std::vector<ListedRun> runs = runs_of(plan);
  Json specs = Json::object();
  for (const PlannedConfiguration& c : plan.configurations) specs[c.hash] = to_json(c.spec);
  Json earlier = Json::array();
  if (const std::optional<Contents> before = read_contents(directory)) {
    const std::string& name = before->record.name;
    if (name != sweep.name) {
      throw bad_input(fmt::format("{}: holds sweep {}, not {}; give another --dir", directory, name, sweep.name));
    }
    for (const EarlierMatrix& matrix : earlier_matrices(*before, runs)) {
      earlier.push_back({{"matrix_sha256", matrix.sha256}, {"matrix", matrix.text}, {"runs", to_json(matrix.runs)}});
      for (const ListedRun& run : matrix.runs) {
        if (!specs.contains(run.config) && before->specs.contains(run.config)) {
          specs[run.config] = before->specs[run.config];
        }
      }
    }
  }
  const Json record{{"sweep", sweep.name},      {"file", fs::absolute(sweep.file).lexically_normal().string()},
                    {"matrix", sweep.text},     {"matrix_sha256", sha256(sweep.text)},
                    {"runs", to_json(runs)},    {"earlier", std::move(earlier)},
                    {"specs", std::move(specs)}};
  write_file_atomically(file_of(directory), record.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
}

std::string configuration_of(const ListedRun& run) {
  const std::string suffix = fmt::format("-{}", run.repeat);
  return run.run.ends_with(suffix) ? run.run.substr(0, run.run.size() - suffix.size()) : run.run;
}

SweepRecord read_sweep_record(const std::string& directory) { return read_contents_or_refuse(directory).record; }

std::string sweep_name_of(const std::string& directory) {
  if (const auto record = read_json_object_if_there(file_of(directory))) {
    if (record->contains("sweep") && (*record)["sweep"].is_string()) return (*record)["sweep"];
  }
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory + "/attempts", none)) {
    try {
      const auto attempt = read_json_object_if_there(entry.path().string() + "/attempt.json");
      if (attempt && attempt->contains("sweep") && (*attempt)["sweep"].is_string()) return (*attempt)["sweep"];
    } catch (const Error&) {  // damaged; another tells the name
    }
  }
  return fs::absolute(directory + '/').lexically_normal().parent_path().filename().string();
}

std::map<std::string, RunSettings> read_sweep_specs(const std::string& directory) {
  const std::string file = file_of(directory);
  const Contents contents = read_contents_or_refuse(directory);
  if (!contents.specs.is_object() || contents.specs.empty()) {
    throw bad_input(
        fmt::format("{}: the runs' settings are missing; `wansweep run` with the sweep's TOML file adds them", file));
  }
  std::map<std::string, RunSettings> specs;
  for (const auto& [hash, spec] : contents.specs.items()) specs[hash] = settings_from_json(spec, file);
  return specs;
}

}  // namespace wansweep
