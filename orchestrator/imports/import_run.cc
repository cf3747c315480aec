// An attempt of a run made elsewhere is built in a folder whose name begins with a dot, and renamed when it is
// complete: after a kill there is the whole attempt or none. In an attempt of a sweep, the traces are written first and
// completed.json last, as by the worker; traces without completed.json were left by a kill, and are made again.

#include "orchestrator/imports/import_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "orchestrator/engines/concluded_switch.h"
#include "orchestrator/engines/followed_settings.h"
#include "orchestrator/imports/engine_file.h"
#include "orchestrator/imports/import_record.h"
#include "orchestrator/imports/imported_settings.h"
#include "orchestrator/imports/rank_traces.h"
#include "orchestrator/imports/script_environment.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "orchestrator/sweep/sweep_lock.h"
#include "schema/completion.h"
#include "schema/setting_fields.h"
#include "schema/trace_file.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* copies_folder = "imported";

std::vector<EngineTrace> read_all(const std::vector<std::string>& files, const std::string& kernels) {
  KernelClasses classes(kernels);
  std::vector<EngineTrace> traces;
  traces.reserve(files.size());
  for (const std::string& file : files) traces.push_back(read_engine_file(file, classes));
  return traces;
}

// Writes traces and completed.json into `directory`.
ImportReport write_attempt(const std::string& directory, const AssembledRun& run, const RunSettings& settings,
                           const std::string& spec_json) {
  Completion completion;
  completion.ranks = static_cast<int>(run.ranks.size());
  completion.steps = static_cast<int>(settings.steps.value_or(0));
  completion.latents_digest = run.latents_digest;
  ImportReport report;
  report.attempt = directory;
  report.ranks = completion.ranks;
  report.notes = run.notes;
  for (const auto& [rank, one] : run.ranks) {
    const std::string file = directory + '/' + trace_file_name(rank);
    TraceWriter writer(file, spec_json, one.environment.dump(-1, ' ', false, Json::error_handler_t::replace));
    writer.append(one.rows);
    if (!run.latents_digest.empty()) writer.set_digest(run.latents_digest);
    writer.close();
    const auto count = [](size_t rows) { return static_cast<int64_t>(rows); };
    completion.traces.push_back({trace_file_name(rank), count(one.rows.steps.size()), count(one.rows.events.size()),
                                 count(one.rows.memory.size()), sha256_file(file)});
    report.steps = std::max(report.steps, completion.traces.back().steps);
    report.events += completion.traces.back().events;
  }
  if (fs::exists(directory + '/' + result_file_name)) completion.result = describe_result(directory);
  write_completion(directory, completion);
  return report;
}

void check_run_name(const std::string& run) {
  const bool plain = !run.empty() && run.find_first_not_of(
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789._-") == run.npos;
  if (plain && run.front() != '.' && run.front() != '-' && run.size() <= 200) return;
  throw bad_input(fmt::format("--run is {}; only letters, digits, '.', '_' and '-' are possible", run));
}

// The settings that a user told of a run that exists already, with those given now, which may tell what was unknown.
// Throws bad_input when they contradict each other.
RunSettings told_of_run(const Attempt& attempt, const RunSettings& given) {
  RunSettings told = told_settings(read_settings(attempt.directory + "/spec.json"));
  for (const auto& [name, origin] : given.origins) {
    const Json now = get_field(given, *find_field(name));
    if (!told.origins.contains(name)) {
      set_field(told, name, now, "--set");
      continue;
    }
    const Json before = get_field(told, *find_field(name));
    if (before == now) continue;
    throw bad_input(fmt::format(
        "{} is {}, but run {} was imported with {}: give other files a run of another name, or correct this run with "
        "--replace, giving all its files and settings again",
        name, now.dump(), attempt.run, before.dump()));
  }
  return told;
}

// Digests, by file. Files may be large, so each is read only once.
std::map<std::string, std::string> digests_of(const std::vector<std::string>& files) {
  std::map<std::string, std::string> digests;
  for (const std::string& file : files) digests.emplace(file, sha256_file(file));
  return digests;
}

// `files`, whose digests are `given`, and the files that the last attempt was made from, each once.
std::vector<std::string> with_earlier(const std::vector<std::string>& files,
                                      const std::map<std::string, std::string>& given, const std::string& before) {
  std::vector<std::string> all;
  std::set<std::string> digests;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(before + '/' + copies_folder, none)) {
    all.push_back(entry.path().string());
    digests.insert(sha256_file(all.back()));
  }
  std::sort(all.begin(), all.end());
  for (const std::string& file : files) {
    if (!digests.contains(given.at(file))) all.push_back(file);
  }
  return all;
}

// Copies the files into the new attempt. Files of the same name get a number.
void copy_files(const std::vector<std::string>& files, const std::string& directory) {
  const fs::path folder = fs::path(directory) / copies_folder;
  make_directories(folder.string());
  for (const std::string& file : files) {
    fs::path place = folder / fs::path(file).filename();
    for (int n = 2; fs::exists(place); ++n)
      place = folder / fmt::format("{}-{}", n, fs::path(file).filename().string());
    std::error_code failed;
    fs::copy_file(file, place, failed);
    if (failed)
      throw Error(ExitCode::output, fmt::format("{}: cannot be written: {}", place.string(), failed.message()));
  }
}

// A run as it will be written.
struct Made {
  std::vector<std::string> files;
  std::vector<EngineTrace> traces;
  RunSettings settings;
  AssembledRun run;
};

// Where the steps' times contradict the switch that was concluded, it becomes unknown, and the notes say so.
void check_concluded_switch(Made& made, std::vector<std::string>& notes) {
  const std::vector<std::string> before = configuration_drift(made.settings);
  std::vector<TraceRows*> ranks;
  for (auto& [rank, one] : made.run.ranks) ranks.push_back(&one.rows);
  std::optional<std::string> doubt = doubt_concluded_switch(made.settings, ranks);
  if (!doubt) return;
  for (const std::string& line : before) std::erase(notes, line);
  for (std::string& line : configuration_drift(made.settings)) notes.push_back(std::move(line));
  notes.push_back(*std::move(doubt));
}

Made make_run(std::vector<std::string> files, const RunSettings& told, const std::string& kernels) {
  Made made;
  made.files = std::move(files);
  made.traces = read_all(made.files, kernels);
  std::vector<std::string> notes;
  made.settings = imported_settings(told, made.traces, notes);
  tell_environment(made.traces, made.settings, "");
  made.run = assemble_run(made.traces, made.settings);
  check_concluded_switch(made, notes);
  made.run.notes.insert(made.run.notes.begin(), notes.begin(), notes.end());
  return made;
}

// Files that do not go with those that the run has are perhaps meant to replace them.
Made add_to_run(std::vector<std::string> files, const RunSettings& told, const std::string& kernels,
                const std::string& run) try {
  return make_run(std::move(files), told, kernels);
} catch (const Error& error) {
  if (error.code() != ExitCode::bad_input) throw;
  throw bad_input(fmt::format(
      "{}; run {} is there, and these files were added to its own: --replace puts them in place of its files",
      error.what(), run));
}

// Makes the attempt's folder in the sweep, atomically.
ImportReport publish(const ImportRequest& request, const Made& made, int repeat, const Attempt* before) {
  const int number = before == nullptr ? 1 : before->number + 1;
  const std::string name = fmt::format("{}-a{}", request.run, number);
  const std::string building = fmt::format("{}/attempts/.{}.importing", request.directory, name);
  fs::remove_all(building);  // left by a kill
  make_directories(building);
  copy_files(made.files, building);
  const std::string spec_json = to_json(made.settings).dump(2) + '\n';
  write_new_file(building + "/spec.json", spec_json);
  ImportReport report = write_attempt(building, made.run, made.settings, spec_json);
  const std::string config = settings_hash(made.settings);
  Json record{{"sweep", sweep_name_of(request.directory)},
              {"run", request.run},
              {"config", config},
              {"repeat", repeat},
              {"attempt", number},
              {"token", fmt::format("import-{}", sha256(spec_json + request.run).substr(0, 16))},
              {"files", record_of_files(made.traces)}};
  if (before != nullptr) {
    if (const std::set<std::string> replaced = replaced_settings(*before, config, repeat); !replaced.empty()) {
      record["replaces"] = replaced;
    }
  }
  write_new_file(building + "/attempt.json", record.dump(2) + '\n');
  Attempt attempt;
  attempt.directory = building;
  AttemptState state;
  state.end = AttemptEnd::completed;
  write_state(attempt, state);
  sync_directory(building);
  report.attempt = fmt::format("{}/attempts/{}", request.directory, name);
  std::error_code failed;
  fs::rename(building, report.attempt, failed);
  if (failed) throw Error(ExitCode::output, fmt::format("{}: {}", report.attempt, failed.message()));
  sync_directory(request.directory + "/attempts");
  return report;
}

ImportReport unchanged(const Attempt& attempt) {
  ImportReport report;
  report.attempt = attempt.directory;
  report.unchanged = true;
  return report;
}

// Whether the run has all the files, and all that is told of its settings.
bool tells_nothing_new(const Attempt& attempt, const RunSettings& told,
                       const std::map<std::string, std::string>& digests) {
  const std::set<std::string> known = sources_of(attempt.directory);
  if (!std::ranges::all_of(digests, [&](const auto& each) { return known.contains(each.second); })) return false;
  const RunSettings before = told_settings(read_settings(attempt.directory + "/spec.json"));
  return before.origins.size() == told.origins.size();
}

// Whether a new attempt would be that which is there.
bool is_same(const Attempt& attempt, const Made& made, int repeat) {
  std::set<std::string> digests;
  for (const EngineTrace& trace : made.traces) digests.insert(trace.sha256);
  return attempt.repeat == repeat && attempt.config == settings_hash(made.settings) &&
         sources_of(attempt.directory) == digests;
}

// The files that an engine may have written to its attempt's folder.
std::vector<std::string> files_in_attempt(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code none;
  for (const std::string& folder : {directory, directory + "/profile"}) {
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      const std::string name = entry.path().filename().string();
      const bool wanted = name == "perf.json" || (name.starts_with("steps-rank-") && name.ends_with(".json")) ||
                          name.ends_with(".trace.json") || name.ends_with(".trace.json.gz") ||
                          (name.starts_with("trace-rank-") && name.ends_with(".json.gz")) || name.ends_with(".sqlite");
      if (wanted && entry.is_regular_file(none)) files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

ImportReport import_run(const ImportRequest& given) {
  check_run_name(given.run);
  ImportRequest request = given;
  request.directory = fs::absolute(given.directory).lexically_normal().string();
  while (request.directory.ends_with('/')) request.directory.pop_back();
  // Everything is checked before anything is written.
  const AttemptFolder folder(request.directory);
  if (const std::string* block = folder.block_of(request.run)) throw bad_input(*block);
  const Attempt* before = folder.newest_of(request.run);
  const bool adds = before != nullptr && !request.replace;
  if (adds && request.repeat) refuse_other_repeat(*before, *request.repeat);
  const int repeat = request.repeat.value_or(before != nullptr ? before->repeat : 1);
  const RunSettings told = adds ? told_of_run(*before, request.settings) : request.settings;
  const std::map<std::string, std::string> digests = digests_of(request.files);
  refuse_files_of_others(folder, request.run, digests);
  if (adds && tells_nothing_new(*before, told, digests)) return unchanged(*before);
  const Made made =
      adds ? add_to_run(with_earlier(request.files, digests, before->directory), told, request.kernels, request.run)
           : make_run(request.files, told, request.kernels);
  if (before != nullptr && is_same(*before, made, repeat)) return unchanged(*before);
  create_sweep_directory(request.directory);
  const SweepLock lock(request.directory);
  const AttemptFolder locked(request.directory);  // another import may have come first
  refuse_files_of_others(locked, request.run, digests);
  refuse_repeat_of_others(locked, request.run, settings_hash(made.settings), repeat);
  return publish(request, made, repeat, locked.newest_of(request.run));
}

ImportReport import_attempt(const std::string& given, const std::string& kernels) {
  const std::string directory = fs::absolute(given).lexically_normal().string();
  const std::string spec_json = read_text(directory + "/spec.json");
  const RunSettings settings = settings_from_json(parse_json_object(spec_json, directory + "/spec.json"), directory);
  if (settings.engine == EngineKind::wansweep) {
    throw bad_input(fmt::format("{}: is an attempt of wansweep-worker, which writes its own traces", directory));
  }
  const std::vector<std::string> files = files_in_attempt(directory);
  if (files.empty()) {
    throw bad_input(fmt::format("{}: {} has written neither a perf dump nor a step record nor a trace here", directory,
                                title_of(settings.engine)));
  }
  if (read_completion(directory)) {
    ImportReport report;
    report.attempt = directory;
    report.unchanged = true;
    const std::set<std::string> known = sources_of(directory);
    for (const std::string& file : files) {
      if (known.contains(sha256_file(file))) continue;
      throw bad_input(
          fmt::format("{}: is not among the files that this attempt was completed with; import a later file into a "
                      "new attempt: wansweep import FILE --run NAME",
                      file));
    }
    return report;
  }
  std::vector<EngineTrace> traces = read_all(files, kernels);
  refuse_other_version(traces, settings);
  tell_environment(traces, settings, directory);
  const AssembledRun run = assemble_run(traces, settings);
  for (int rank = 0; fs::exists(directory + '/' + trace_file_name(rank)); ++rank) {
    fs::remove(directory + '/' + trace_file_name(rank));
  }
  return write_attempt(directory, run, settings, spec_json);
}

}  // namespace wansweep
