// Each reader checks one JSON object or text itself: a member of a wrong type, a number out of range or a step out of
// order gives one line that names the file and shows the entry. All other members go into the environment, under their
// own names.

#include "orchestrator/imports/perf_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/units.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

constexpr int64_t most_bytes = int64_t{64} << 20;  // the largest file that is read

EngineTrace begin(const std::string& file, EngineFileKind kind) {
  EngineTrace trace;
  trace.file = file;
  trace.kind = kind;
  return trace;
}

Json read_object(const std::string& file) { return parse_json_object(read_text(file, most_bytes), file); }

// The duration of a step or a stage in milliseconds. Throws bad_input when it is not a plausible number.
double milliseconds(const Json& entry, const std::string& file) {
  const auto found = entry.find("duration_ms");
  constexpr double most = 1e12;
  if (found == entry.end() || !found->is_number() || !(found->get<double>() >= 0 && found->get<double>() < most)) {
    throw bad_input(
        fmt::format("{}: {} has no valid duration_ms; a number of milliseconds is needed", file, entry.dump()));
  }
  return found->get<double>();
}

const Json& list_of(const Json& object, const char* key, const std::string& file) {
  static const Json none = Json::array();
  const auto found = object.find(key);
  if (found == object.end()) return none;
  if (!found->is_array()) throw bad_input(fmt::format("{}: {} is not a list", file, key));
  return *found;
}

std::optional<int64_t> largest_memory(const Json& dump, const char* key) {
  const auto points = dump.find("memory_checkpoints");
  if (points == dump.end() || !points->is_object()) return std::nullopt;
  std::optional<int64_t> largest;
  for (const auto& [name, point] : points->items()) {
    if (!point.is_object()) continue;
    const auto found = point.find(key);
    if (found == point.end() || !found->is_number() || !(found->get<double>() > 0)) continue;
    largest = std::max(largest.value_or(0), static_cast<int64_t>(std::min(found->get<double>(), 1e9) * mebibyte));
  }
  return largest;
}

template <typename T>
std::optional<T> number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<T>();
}

int64_t needed_number(const Json& object, const char* key, const std::string& file) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) {
    throw bad_input(fmt::format("{}: {} has no valid {}; a whole number is needed", file, object.dump(), key));
  }
  return found->get<int64_t>();
}

void flatten(const Json& json, const std::string& name, std::map<std::string, std::string>& values) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      flatten(value, name.empty() ? key : fmt::format("{}.{}", name, key), values);
  } else if (!json.is_null()) {
    values[name] = json.is_string() ? json.get<std::string>() : json.dump();
  }
}

StepMark recorded_step(const Json& entry, const std::string& file) {
  if (!entry.is_object()) throw bad_input(fmt::format("{}: steps holds {}, not an object", file, entry.dump()));
  StepMark mark;
  mark.step = static_cast<int>(std::clamp<int64_t>(needed_number(entry, "step", file), 0, 1 << 20));
  mark.start_ns = needed_number(entry, "start_ns", file);
  mark.end_ns = needed_number(entry, "end_ns", file);
  mark.expert = number_of<int>(entry, "expert");
  mark.timestep = number_of<double>(entry, "timestep");
  mark.sigma = number_of<double>(entry, "sigma");
  mark.device_used = number_of<int64_t>(entry, "device_used");
  mark.device_peak = number_of<int64_t>(entry, "device_peak");
  if (mark.step < 1 || mark.end_ns < mark.start_ns) {
    throw bad_input(
        fmt::format("{}: {} is not a step: a step has a number from 1, and ends after it starts", file, entry.dump()));
  }
  return mark;
}

}  // namespace

EngineTrace read_perf_dump(const std::string& file) {
  const Json dump = read_object(file);
  EngineTrace trace = begin(file, EngineFileKind::perf_dump);
  trace.rank = 0;
  int64_t end = 0;
  for (const Json& entry : list_of(dump, "denoise_steps_ms", file)) {
    StepMark& mark = trace.steps.emplace_back();
    mark.step = static_cast<int>(trace.steps.size());
    mark.start_ns = end;
    end += std::llround(milliseconds(entry, file) * 1e6);
    mark.end_ns = end;
  }
  for (const Json& stage : list_of(dump, "steps", file)) {
    const auto name = stage.find("name");
    if (name == stage.end() || !name->is_string()) continue;
    trace.environment["stage_ms." + name->get<std::string>()] = fmt::format("{:.3f}", milliseconds(stage, file));
  }
  trace.device_used = largest_memory(dump, "reserved_mb");
  trace.device_peak = largest_memory(dump, "peak_reserved_mb");
  for (const char* key : {"total_duration_ms", "timestamp", "commit_hash", "request_id", "tag", "meta"}) {
    if (const auto found = dump.find(key); found != dump.end()) flatten(*found, key, trace.environment);
  }
  // SGLANG_GIT_COMMIT, which may hold a release; or else the commit of whatever repository SGLang was started in.
  static const std::regex release(R"(v?([0-9]+\.[0-9]+\.[0-9]+(\.?[a-z]+[0-9]+)*))");
  std::smatch version;
  if (const std::string told = trace.environment["commit_hash"]; std::regex_match(told, version, release)) {
    trace.settings["engine_version"] = version[1];
  }
  if (const auto meta = dump.find("meta"); meta != dump.end() && meta->is_object() && meta->contains("model")) {
    if ((*meta)["model"].is_string()) trace.settings["model"] = (*meta)["model"].get<std::string>();
  }
  if (trace.steps.empty()) {
    trace.notes.push_back(fmt::format("{}: denoise_steps_ms is missing, as in files of SGLang 0.5.6", file));
  }
  return trace;
}

EngineTrace read_step_record(const std::string& file) {
  const Json record = read_object(file);
  if (record.value("format", Json()) != "wansweep-steps-1") {
    throw bad_input(
        fmt::format("{}: format is {}; wansweep-steps-1 is needed", file, record.value("format", Json()).dump()));
  }
  EngineTrace trace = begin(file, EngineFileKind::step_record);
  trace.has_times = true;
  trace.rank = static_cast<int>(std::clamp<int64_t>(needed_number(record, "rank", file), 0, 4096));
  trace.ranks = static_cast<int>(std::clamp<int64_t>(needed_number(record, "ranks", file), 1, 4096));
  for (const Json& entry : list_of(record, "steps", file)) {
    const StepMark mark = recorded_step(entry, file);
    if (!trace.steps.empty() && mark.step <= trace.steps.back().step) {
      throw bad_input(
          fmt::format("{}: step {} comes after step {}; steps must ascend", file, mark.step, trace.steps.back().step));
    }
    trace.steps.push_back(mark);
  }
  for (const auto& [key, place] : {std::pair{"host", &trace.host}, {"latents_sha256", &trace.latents_digest}}) {
    if (const auto found = record.find(key); found != record.end() && found->is_string()) *place = *found;
  }
  if (const auto found = record.find("environment"); found != record.end()) flatten(*found, "", trace.environment);
  if (const auto found = record.find("engine"); found != record.end()) flatten(*found, "engine", trace.environment);
  if (const auto found = record.find("settings"); found != record.end()) flatten(*found, "", trace.settings);
  if (const auto found = record.find("synchronised"); found != record.end() && found->is_boolean()) {
    trace.environment["synchronised"] = found->get<bool>() ? "synchronised" : "unsynchronised";
  }
  return trace;
}

}  // namespace wansweep
