#include "orchestrator/imports/import_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "schema/setting_fields.h"
#include "schema/trace_file.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

void add_digests(const Json& files, std::set<std::string>& digests) {
  for (const Json& file : files) {
    const auto digest = file.is_object() ? file.find("sha256") : file.end();
    if (digest != file.end() && digest->is_string()) digests.insert(*digest);
  }
}

// Of an attempt of a sweep, whose launcher wrote attempt.json before there were files.
std::set<std::string> sources_in_traces(const std::string& attempt) {
  std::set<std::string> digests;
  if (read_settings(attempt + "/spec.json").engine == EngineKind::wansweep) return digests;
  for (int rank = 0; fs::exists(attempt + '/' + trace_file_name(rank)); ++rank) {
    const Json environment =
        parse_json_object(read_trace(attempt + '/' + trace_file_name(rank)).environment_json, attempt);
    add_digests(environment.value("engine", Json::object()).value("files", Json::array()), digests);
  }
  return digests;
}

Json read_record(const std::string& attempt) {
  return read_json_object_if_there(attempt + "/attempt.json").value_or(Json::object());
}

}  // namespace

Json record_of_files(const std::vector<EngineTrace>& files) {
  Json record = Json::array();
  for (const EngineTrace& file : files) {
    record.push_back({{"file", fs::path(file.file).filename().string()},
                      {"kind", name_of(file.kind)},
                      {"sha256", file.sha256},
                      {"bytes", file.bytes}});
  }
  return record;
}

std::set<std::string> sources_of(const std::string& attempt) {
  const Json record = read_record(attempt);
  if (!record.contains("files")) return sources_in_traces(attempt);
  std::set<std::string> digests;
  add_digests(record["files"], digests);
  return digests;
}

std::set<std::string> replaced_settings(const Attempt& newest, const std::string& config, int repeat) {
  std::set<std::string> replaced;
  for (const Json& one : read_record(newest.directory).value("replaces", Json::array())) {
    if (one.is_string()) replaced.insert(one.get<std::string>());
  }
  if (newest.config != config || newest.repeat != repeat) replaced.insert(newest.config);
  return replaced;
}

void refuse_files_of_others(const AttemptFolder& folder, const std::string& run,
                            const std::map<std::string, std::string>& digests) {
  for (const auto& [name, attempt] : folder.newest()) {
    if (name == run) continue;
    std::set<std::string> theirs;
    try {
      theirs = sources_of(attempt.directory);
    } catch (const Error&) {  // damaged: gather says so
      continue;
    }
    for (const auto& [file, digest] : digests) {
      if (!theirs.contains(digest)) continue;
      throw bad_input(fmt::format(
          "{}: is imported already, as run {} (repeat {}); a file belongs to one run: give run {} a file of its own, "
          "or correct run {} with --run {} --replace",
          file, name, attempt.repeat, run, name, name));
    }
  }
}

void refuse_repeat_of_others(const AttemptFolder& folder, const std::string& run, const std::string& config,
                             int repeat) {
  const Attempt* same = nullptr;
  int last = 0;
  for (const auto& [name, attempt] : folder.newest()) {
    if (name == run || attempt.config != config) continue;
    last = std::max(last, attempt.repeat);
    if (attempt.repeat == repeat) same = &attempt;
  }
  if (same == nullptr) return;
  throw bad_input(fmt::format(
      "--repeat {}: run {} is repeat {} of the same settings; give --repeat {} to make run {} the next repeat, tell "
      "with --set what differs (ranks, for example), or give --run {} --replace to put these files in place of that "
      "run's",
      repeat, same->run, repeat, last + 1, run, same->run));
}

void refuse_other_repeat(const Attempt& newest, int repeat) {
  if (newest.repeat == repeat) return;
  throw bad_input(fmt::format(
      "--repeat {0}: run {1} is there as repeat {2}, and each repeat is a run with a name of its own: give --run "
      "{1}-{0} --repeat {0} for another repeat, or --replace to correct the number of run {1}",
      repeat, newest.run, newest.repeat));
}

}  // namespace wansweep
