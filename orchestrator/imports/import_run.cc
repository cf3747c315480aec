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
#include "orchestrator/engines/followed_settings.h"
#include "orchestrator/imports/engine_file.h"
#include "orchestrator/imports/rank_traces.h"
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
    report.steps += completion.traces.back().steps;
    report.events += completion.traces.back().events;
  }
  if (fs::exists(directory + '/' + result_file_name)) completion.result = describe_result(directory);
  write_completion(directory, completion);
  return report;
}

// The digests of the files that an attempt's traces were made from.
std::set<std::string> sources_of(const std::string& attempt) {
  std::set<std::string> digests;
  for (int rank = 0; fs::exists(attempt + '/' + trace_file_name(rank)); ++rank) {
    const Json environment =
        parse_json_object(read_trace(attempt + '/' + trace_file_name(rank)).environment_json, attempt);
    for (const Json& file : environment.value("engine", Json::object()).value("files", Json::array())) {
      digests.insert(file.value("sha256", ""));
    }
  }
  return digests;
}

void check_run_name(const std::string& run) {
  const bool plain = !run.empty() && run.find_first_not_of(
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789._-") == run.npos;
  if (plain && run.front() != '.' && run.front() != '-' && run.size() <= 200) return;
  throw bad_input(fmt::format("--run is {}; only letters, digits, '.', '_' and '-' are possible", run));
}

// Takes settings that the user left open from the file. Throws bad_input when the user gave another value.
void take_settings_of(const EngineTrace& file, RunSettings& settings) {
  for (const auto& [name, text] : file.settings) {
    const Field* field = find_field(name);
    if (field == nullptr || field->is_path() || !follows(settings.engine, name)) continue;
    const Json parsed = Json::parse(text, nullptr, false);
    RunSettings told;
    set_field(told, name, parsed.is_number() || parsed.is_boolean() ? parsed : Json(text), file.file);
    const Json value = get_field(told, *field);
    const auto given = settings.origins.find(name);
    if (given != settings.origins.end() && get_field(settings, *field) != value) {
      throw bad_input(
          fmt::format("{} is {}, but {} says {}: the run had other settings, or the file belongs to another run", name,
                      get_field(settings, *field).dump(), file.file, value.dump()));
    }
    if (given != settings.origins.end()) continue;
    set_field(settings, name, value, file.file);
    settings.origins[name].origin = "file";
  }
}

// Takes ranks and steps from the files if the user left them open.
void fill_from_files(RunSettings& settings, const std::vector<EngineTrace>& files) {
  for (const EngineTrace& file : files) take_settings_of(file, settings);
  if (!settings.origins.contains("ranks")) {
    int64_t ranks = 1;
    for (const EngineTrace& file : files) {
      ranks = std::max<int64_t>({ranks, file.ranks.value_or(1), file.rank.value_or(0) + 1});
    }
    settings.ranks = ranks;
    settings.origins["ranks"].origin = "file";
  }
  if (!settings.steps) {
    for (const EngineTrace& file : files) {
      if (file.kind != EngineFileKind::perf_dump && file.kind != EngineFileKind::step_record) continue;
      if (!file.steps.empty()) settings.steps = file.steps.back().step;
    }
    if (settings.steps) settings.origins["steps"].origin = "file";
  }
}

// A setting that neither the user nor a file gives has a default value here, which the run did not use.
void mark_unknown(RunSettings& settings) {
  mark_unfollowed(settings);
  for (const Field& field : fields()) {
    const std::string name(field.name);
    if (!settings.origins.contains(name)) settings.origins[name].origin = unknown_origin;
  }
}

void check_settings(const RunSettings& settings) {
  if (settings.engine == EngineKind::wansweep) {
    throw bad_input("engine is not set; give --set engine=sglang or --set engine=diffusers");
  }
  if (!settings.origins.contains("offload")) {
    throw bad_input(
        "offload is not set; give --set offload=resident, swap or layerwise: no file tells how weights "
        "move");
  }
  for (const Field& field : fields()) check_bounds(settings, field);
  refuse_unfollowed(settings);
}

// The settings of a run that exists already; settings that the user gives must be equal.
RunSettings settings_of_run(const Attempt& attempt, const RunSettings& given) {
  RunSettings settings = read_settings(attempt.directory + "/spec.json");
  for (const auto& [name, origin] : given.origins) {
    const Field& field = *find_field(name);
    const Json before = get_field(settings, field), now = get_field(given, field);
    if (origin.origin != "user" || before == now) continue;
    throw bad_input(fmt::format("{} is {}, but run {} was imported with {}: import the run under another name", name,
                                now.dump(), attempt.run, before.dump()));
  }
  return settings;
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

std::string sweep_name(const std::string& directory) {
  const auto record = read_json_object_if_there(directory + "/sweep.json");
  if (record && record->contains("sweep") && (*record)["sweep"].is_string()) return (*record)["sweep"];
  return fs::path(directory).filename().string();
}

// Makes the attempt's folder in the sweep, atomically.
ImportReport publish(const ImportRequest& request, const RunSettings& settings, const std::vector<std::string>& files,
                     const AssembledRun& run, int number) {
  const std::string name = fmt::format("{}-a{}", request.run, number);
  const std::string building = fmt::format("{}/attempts/.{}.importing", request.directory, name);
  fs::remove_all(building);  // left by a kill
  make_directories(building);
  copy_files(files, building);
  const std::string spec_json = to_json(settings).dump(2) + '\n';
  write_new_file(building + "/spec.json", spec_json);
  ImportReport report = write_attempt(building, run, settings, spec_json);
  const Json record{{"sweep", sweep_name(request.directory)},
                    {"run", request.run},
                    {"config", settings_hash(settings)},
                    {"repeat", request.repeat},
                    {"attempt", number},
                    {"token", fmt::format("import-{}", sha256(spec_json + request.run).substr(0, 16))},
                    {"launcher", name_of(Launcher::local)}};
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
  const auto newest_attempt = [&]() -> std::optional<Attempt> {
    if (!fs::exists(request.directory + "/attempts")) return std::nullopt;
    const AttemptFolder folder(request.directory);
    if (const std::string* block = folder.block_of(request.run)) throw bad_input(*block);
    const Attempt* newest = folder.newest_of(request.run);
    return newest == nullptr ? std::nullopt : std::optional(*newest);
  };
  std::optional<Attempt> before = newest_attempt();
  RunSettings settings = before ? settings_of_run(*before, request.settings) : request.settings;
  std::vector<std::string> files = request.files;
  if (before) {
    const std::set<std::string> known = sources_of(before->directory);
    const std::map<std::string, std::string> given_digests = digests_of(request.files);
    const bool all_known = std::all_of(given_digests.begin(), given_digests.end(),
                                       [&](const auto& each) { return known.contains(each.second); });
    if (all_known) {
      ImportReport report;
      report.attempt = before->directory;
      report.unchanged = true;
      return report;
    }
    files = with_earlier(request.files, given_digests, before->directory);
  }
  const std::vector<EngineTrace> traces = read_all(files, request.kernels);
  if (!before) {
    fill_from_files(settings, traces);
    check_settings(settings);
    mark_unknown(settings);
  }
  const AssembledRun run = assemble_run(traces, settings);
  create_sweep_directory(request.directory);
  const SweepLock lock(request.directory);
  before = newest_attempt();  // another import may have come first
  return publish(request, settings, files, run, before ? before->number + 1 : 1);
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
  const AssembledRun run = assemble_run(read_all(files, kernels), settings);
  for (int rank = 0; fs::exists(directory + '/' + trace_file_name(rank)); ++rank) {
    fs::remove(directory + '/' + trace_file_name(rank));
  }
  return write_attempt(directory, run, settings, spec_json);
}

}  // namespace wansweep
