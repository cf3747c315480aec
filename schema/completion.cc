// An attempt counts only with this record, so the record names every file that must exist, with its SHA-256: the traces
// and the result (older workers did not name the result). Reading trusts nothing: a member of a wrong type, a name that
// leads out of the directory, and a file that is not regular each give one error line.

#include "schema/completion.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "schema/trace_file.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* completion_name = "completed.json";
constexpr const char* failure_name = "failure.json";

std::string path_in(const std::string& directory, const std::string& name) {
  return (fs::path(directory) / name).string();
}

template <typename T>
T member(const json& object, const char* key, const std::string& file) {
  const auto found = object.find(key);
  if (found == object.end()) throw bad_input(fmt::format("{}: {} is missing", file, key));
  if constexpr (std::is_integral_v<T>) {
    if (!found->is_number_integer() || *found < 0) {
      throw bad_input(fmt::format("{}: {} is {}; a whole number of at least 0 is needed", file, key, found->dump()));
    }
  } else {
    if (!found->is_string()) throw bad_input(fmt::format("{}: {} is {}; a string is needed", file, key, found->dump()));
  }
  return found->get<T>();
}

// One line on how the file differs from the record; nullopt when it does not.
std::optional<std::string> differs(const std::string& file, const std::string& sha256) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) {
    return errno == ENOENT || errno == ENOTDIR ? fmt::format("{}: does not exist, but completed.json names it", file)
                                               : fmt::format("{}: cannot be read: {}", file, error_text(errno));
  }
  try {
    if (sha256_file(file) != sha256) return fmt::format("{}: was changed or cut after the run ended", file);
  } catch (const Error& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace

ResultRecord describe_result(const std::string& directory) {
  const std::string file = path_in(directory, result_file_name);
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) throw bad_input(fmt::format("{}: {}", file, error_text(errno)));
  return {result_file_name, static_cast<int64_t>(status.st_size), sha256_file(file)};
}

void write_completion(const std::string& directory, const Completion& completion) {
  json traces = json::array();
  for (const TraceRecord& trace : completion.traces) {
    traces.push_back({{"file", trace.file},
                      {"steps", trace.steps},
                      {"events", trace.events},
                      {"memory", trace.memory},
                      {"sha256", trace.sha256}});
  }
  json value = {{"format", 1},
                {"ranks", completion.ranks},
                {"steps", completion.steps},
                {"latents_digest", completion.latents_digest},
                {"started_at", completion.started_at},
                {"finished_at", completion.finished_at},
                {"traces", std::move(traces)}};
  if (const auto& result = completion.result) {
    value["result"] = {{"file", result->file}, {"bytes", result->bytes}, {"sha256", result->sha256}};
  }
  write_file_atomically(path_in(directory, completion_name), value.dump(2) + "\n");
}

void write_failure(const std::string& directory, const Failure& failure) {
  const std::string file = path_in(directory, failure_name);
  const json value = {{"format", 1},
                      {"rank", failure.rank},
                      {"exit_code", failure.exit_code},
                      {"line", failure.line},
                      {"failed_at", failure.failed_at}};
  // A library's message may hold invalid UTF-8; the record must be written all the same.
  write_file_once(file, value.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

std::optional<Completion> read_completion(const std::string& directory) {
  const std::string file = path_in(directory, completion_name);
  const std::optional<json> value = read_json_object_if_there(file);
  if (!value) return std::nullopt;
  Completion completion;
  if (const int format = member<int>(*value, "format", file); format != 1) {
    throw bad_input(fmt::format("{}: format is {}; this wansweep reads 1", file, format));
  }
  completion.ranks = member<int>(*value, "ranks", file);
  completion.steps = member<int>(*value, "steps", file);
  completion.latents_digest = member<std::string>(*value, "latents_digest", file);
  completion.started_at = member<std::string>(*value, "started_at", file);
  completion.finished_at = member<std::string>(*value, "finished_at", file);
  const auto traces = value->find("traces");
  if (traces == value->end() || !traces->is_array()) {
    throw bad_input(fmt::format("{}: traces is missing or is not a list", file));
  }
  for (const json& trace : *traces) {
    if (!trace.is_object()) throw bad_input(fmt::format("{}: traces holds {}, not an object", file, trace.dump()));
    completion.traces.push_back({member<std::string>(trace, "file", file), member<int64_t>(trace, "steps", file),
                                 member<int64_t>(trace, "events", file), member<int64_t>(trace, "memory", file),
                                 member<std::string>(trace, "sha256", file)});
  }
  if (const auto result = value->find("result"); result != value->end()) {
    if (!result->is_object()) throw bad_input(fmt::format("{}: result is {}, not an object", file, result->dump()));
    completion.result = {member<std::string>(*result, "file", file), member<int64_t>(*result, "bytes", file),
                         member<std::string>(*result, "sha256", file)};
  }
  return completion;
}

std::optional<Failure> read_failure(const std::string& directory) {
  const std::string file = path_in(directory, failure_name);
  const std::optional<json> value = read_json_object_if_there(file);
  if (!value) return std::nullopt;
  Failure failure;
  failure.rank = member<int>(*value, "rank", file);
  failure.exit_code = member<int>(*value, "exit_code", file);
  failure.line = member<std::string>(*value, "line", file);
  failure.failed_at = member<std::string>(*value, "failed_at", file);
  return failure;
}

std::optional<std::string> verify_completion(const std::string& directory, const Completion& completion) {
  if (completion.traces.size() != static_cast<size_t>(completion.ranks)) {
    return fmt::format("{}: names {} traces, but the run has {} ranks", path_in(directory, completion_name),
                       completion.traces.size(), completion.ranks);
  }
  for (int rank = 0; rank < completion.ranks; ++rank) {
    const TraceRecord& trace = completion.traces[static_cast<size_t>(rank)];
    if (trace.file != trace_file_name(rank)) {
      return fmt::format("{}: the trace of rank {} is called {}; {} is needed", path_in(directory, completion_name),
                         rank, trace.file, trace_file_name(rank));
    }
    if (auto line = differs(path_in(directory, trace.file), trace.sha256)) return line;
  }
  if (!completion.result) return std::nullopt;
  if (completion.result->file != result_file_name) {
    return fmt::format("{}: the result is called {}; {} is needed", path_in(directory, completion_name),
                       completion.result->file, result_file_name);
  }
  return differs(path_in(directory, result_file_name), completion.result->sha256);
}

}  // namespace wansweep
