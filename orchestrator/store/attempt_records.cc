// The fingerprint of an attempt holds the text of the launcher's records, and the size and time of traces and result,
// which may be gigabytes. So a second gather of ten thousand attempts reads only their small files, and still notices a
// result that was changed or lost.
//
// Everybody who may write to a shared sweep may have written these files: sizes and nesting are bounded, and pipes and
// devices are refused.

#include "orchestrator/store/attempt_records.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "schema/completion.h"
#include "schema/trace_file.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t most_record_bytes = int64_t{64} << 20;

std::optional<int64_t> optional_integer(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? std::optional(found->get<int64_t>()) : std::nullopt;
}

std::string text_or_empty(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// Parses a record whose last line may be cut short: text that is not JSON is dropped.
Json parse_if_whole(const std::string& text) {
  return json_levels(text) > most_json_levels ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
}

// N of "rank-N.h5".
std::optional<int> rank_of(const std::string& file) {
  if (!file.starts_with("rank-") || !file.ends_with(".h5") || file.size() < 9 || file.size() > 16) return std::nullopt;
  const std::string digits = file.substr(5, file.size() - 8);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int rank = std::stoi(digits);
  return trace_file_name(rank) == file ? std::optional(rank) : std::nullopt;
}

std::string size_and_time(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return "none";
  return fmt::format("{} {}.{:09}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

void find_traces(AttemptRecords& records, std::string& seen) {
  std::error_code failed;
  for (fs::directory_iterator entry(records.directory, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (const auto rank = rank_of(entry->path().filename().string())) records.traces[*rank] = entry->path().string();
  }
  if (failed) throw bad_input(fmt::format("{}: cannot be read: {}", records.directory, failed.message()));
  for (const auto& [rank, file] : records.traces) {
    if (const std::string now = size_and_time(file); now != "none") seen += fmt::format("\n{} {}", rank, now);
  }
}

SlurmRecord read_slurm(const Json& attempt, const std::string& last_look, const std::string& transitions) {
  SlurmRecord record;
  record.submission = text_or_empty(attempt, "submission");
  record.index = optional_integer(attempt, "index").value_or(0);
  const Json look = parse_if_whole(last_look);
  if (look.is_object()) {
    record.array_job = optional_integer(look, "array_job").value_or(0);
    record.slurm_state = text_or_empty(look, "slurm_state");
    record.reason = text_or_empty(look, "reason");
    record.nodes = text_or_empty(look, "nodes");
    record.started_at = text_or_empty(look, "started_at");
    record.ended_at = text_or_empty(look, "ended_at");
  }
  std::istringstream lines(transitions);
  for (std::string line; std::getline(lines, line);) {
    const Json change = parse_if_whole(line);
    if (!change.is_object()) continue;  // the last line of a wansweep that was killed in it
    record.transitions.push_back({text_or_empty(change, "at"), text_or_empty(change, "from"),
                                  text_or_empty(change, "to"), text_or_empty(change, "slurm_state"),
                                  text_or_empty(change, "detail")});
  }
  return record;
}

using Texts = std::map<std::string, std::string>;  // of the small files that are there, by name

std::string text_of(const Texts& texts, const std::string& name) {
  const auto found = texts.find(name);
  return found != texts.end() ? found->second : "";
}

void read_attempt(AttemptRecords& records, const Texts& texts) {
  const std::string file = records.directory + "/attempt.json";
  const Json attempt = parse_json_object(texts.at("attempt.json"), file);
  try {
    records.sweep = attempt.at("sweep");
    records.run = attempt.at("run");
    records.config = attempt.at("config");
    records.repeat = attempt.at("repeat");
    records.number = attempt.at("attempt");
    records.token = attempt.at("token");
    records.launcher = attempt.value("launcher", "");
    records.replaces = attempt.value("replaces", std::vector<std::string>());
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not the record of an attempt: {}", file, json_problem(error)));
  }
  if (records.launcher == "slurm") {
    records.slurm = read_slurm(attempt, text_of(texts, "slurm.json"), text_of(texts, "transitions.jsonl"));
  }
}

void read_state(AttemptRecords& records, const Texts& texts) {
  const auto text = texts.find("state.json");
  if (text == texts.end()) return;
  const Json state = parse_json_object(text->second, records.directory + "/state.json");
  records.state = text_or_empty(state, "state");
  records.exit_code = optional_integer(state, "exit_code");
  records.signal = optional_integer(state, "signal");
  records.started_at = text_or_empty(state, "started_at");
  records.finished_at = text_or_empty(state, "ended_at");
  records.line = text_or_empty(state, "line");
}

// A wansweep that is killed before anything starts leaves spec.json at most.
void refuse_end_without_record(const std::string& directory, const Texts& texts) {
  for (const char* name : {"state.json", "completed.json", "failure.json"}) {
    if (!texts.contains(name)) continue;
    throw bad_input(fmt::format("{}/attempt.json: is missing, but {} shows that the attempt ran", directory, name));
  }
}

}  // namespace

std::optional<AttemptRecords> read_attempt_records(const std::string& directory) {
  AttemptRecords records;
  records.directory = directory;
  std::string seen;
  Texts texts;
  for (const char* name : {"attempt.json", "state.json", "spec.json", "completed.json", "failure.json", "slurm.json",
                           "transitions.jsonl"}) {
    const std::optional<std::string> text = read_text_if_there(directory + '/' + name, most_record_bytes);
    if (text) texts[name] = *text;
    seen += fmt::format("{} {}\n{}", name, text.value_or("").size(), text.value_or(""));
  }
  if (!texts.contains("attempt.json")) {
    refuse_end_without_record(directory, texts);
    return std::nullopt;
  }
  read_attempt(records, texts);
  read_state(records, texts);
  find_traces(records, seen);
  const Json completed = parse_if_whole(text_of(texts, "completed.json"));
  if (completed.is_object() && completed.contains("result")) {
    seen += fmt::format("\nresult {}", size_and_time(directory + '/' + result_file_name));
  }
  records.fingerprint = sha256(seen);
  return records;
}

}  // namespace wansweep
