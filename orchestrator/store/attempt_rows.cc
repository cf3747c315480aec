#include "orchestrator/store/attempt_rows.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::optional<int64_t> optional_integer(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? std::optional(found->get<int64_t>()) : std::nullopt;
}

std::string text_or_empty(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// {"device": {"name": "x"}} as "device.name": "x".
void flatten(const Json& json, const std::string& name, std::map<std::string, std::string>& values) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      flatten(value, name.empty() ? key : fmt::format("{}.{}", name, key), values);
  } else if (json.is_array()) {
    for (size_t i = 0; i < json.size(); ++i) flatten(json[i], fmt::format("{}[{}]", name, i), values);
  } else if (!json.is_null()) {
    values[name] = json.is_string() ? json.get<std::string>() : json.dump();
  }
}

// N of "rank-N.h5".
std::optional<int> rank_of(const std::string& file) {
  if (!file.starts_with("rank-") || !file.ends_with(".h5") || file.size() < 9 || file.size() > 16) return std::nullopt;
  const std::string digits = file.substr(5, file.size() - 8);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int rank = std::stoi(digits);
  return trace_file_name(rank) == file ? std::optional(rank) : std::nullopt;
}

void find_traces(AttemptRecords& records, std::string& seen) {
  for (const auto& entry : fs::directory_iterator(records.directory)) {
    if (const auto rank = rank_of(entry.path().filename().string())) records.traces[*rank] = entry.path().string();
  }
  for (const auto& [rank, file] : records.traces) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) continue;
    seen += fmt::format("\n{} {} {}.{:09}", rank, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
}

SlurmRecord read_slurm(const Json& attempt, const std::string& last_look, const std::string& transitions) {
  SlurmRecord record;
  record.submission = text_or_empty(attempt, "submission");
  record.index = optional_integer(attempt, "index").value_or(0);
  const Json look = Json::parse(last_look, nullptr, false);
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
    const Json change = Json::parse(line, nullptr, false);
    if (!change.is_object()) continue;  // the last line of a wansweep that was killed in it
    record.transitions.push_back({text_or_empty(change, "at"), text_or_empty(change, "from"),
                                  text_or_empty(change, "to"), text_or_empty(change, "slurm_state"),
                                  text_or_empty(change, "detail")});
  }
  return record;
}

// Rank 0's clock minus this one's at `time`: clocks drift apart evenly between the two measurements.
class ClockOffset {
 public:
  explicit ClockOffset(const std::vector<ClockRow>& rows) {
    for (const ClockRow& row : rows) {
      if (row.at_end == 0) first_ = row;
      if (row.at_end == 1) last_ = row;
    }
  }
  int64_t at(int64_t time) const {
    if (!first_) return last_ ? last_->offset_ns : 0;
    if (!last_ || last_->time_ns <= first_->time_ns) return first_->offset_ns;
    const double share =
        static_cast<double>(time - first_->time_ns) / static_cast<double>(last_->time_ns - first_->time_ns);
    return first_->offset_ns + static_cast<int64_t>(share * static_cast<double>(last_->offset_ns - first_->offset_ns));
  }

 private:
  std::optional<ClockRow> first_, last_;
};

// All ranks onto rank 0's clock, and zero where the attempt's first step begins.
void align_clocks(std::map<int, RankRows>& ranks) {
  int64_t origin = std::numeric_limits<int64_t>::max();
  for (const auto& [rank, rows] : ranks) {
    const ClockOffset offset(rows.trace.rows.clock);
    for (const StepRow& step : rows.trace.rows.steps)
      origin = std::min(origin, step.start_ns + offset.at(step.start_ns));
  }
  // Killed before the first step was written: what it did before that counts from its first event.
  if (origin == std::numeric_limits<int64_t>::max()) {
    for (const auto& [rank, rows] : ranks) {
      const ClockOffset offset(rows.trace.rows.clock);
      for (const EventRow& e : rows.trace.rows.events) origin = std::min(origin, e.start_ns + offset.at(e.start_ns));
    }
  }
  for (auto& [rank, rows] : ranks) {
    const ClockOffset offset(rows.trace.rows.clock);
    // Both ends move alike: a duration is the rank's own, unstretched.
    const auto move = [&](int64_t& start, int64_t& end) {
      const int64_t by = offset.at(start) - origin;
      start += by;
      end += by;
    };
    for (StepRow& s : rows.trace.rows.steps) move(s.start_ns, s.end_ns);
    for (EventRow& e : rows.trace.rows.events) move(e.start_ns, e.end_ns);
    for (MemoryRow& m : rows.trace.rows.memory) m.time_ns += offset.at(m.time_ns) - origin;
  }
}

// After the clocks were aligned: ranks of a host that share a link slow each other down.
void add_traffic(std::map<int, RankRows>& ranks) {
  std::vector<HostedEvents> events;
  events.reserve(ranks.size());
  for (const auto& [rank, rows] : ranks) events.push_back({&rows.trace.rows.events, rows.host});
  std::vector<Traffic> traffic = summarize_traffic(events);
  auto next = traffic.begin();
  for (auto& [rank, rows] : ranks) rows.traffic = std::move(*next++);
}

// What the record says of the rows, against what was read.
std::optional<std::string> row_problem(const AttemptRows& rows, const Completion& completion) {
  for (int rank = 0; rank < completion.ranks; ++rank) {
    const auto found = rows.ranks.find(rank);
    const TraceRecord& want = completion.traces[static_cast<size_t>(rank)];
    if (found == rows.ranks.end()) return fmt::format("{}: {} cannot be read", rows.records.directory, want.file);
    const TraceRows& got = found->second.trace.rows;
    const auto differs = [](int64_t wanted, size_t there) { return wanted != static_cast<int64_t>(there); };
    if (differs(want.steps, got.steps.size()) || differs(want.events, got.events.size()) ||
        differs(want.memory, got.memory.size())) {
      return fmt::format("{}/{}: has {} steps, {} events, {} memory rows; completed.json says {}, {}, {}",
                         rows.records.directory, want.file, got.steps.size(), got.events.size(), got.memory.size(),
                         want.steps, want.events, want.memory);
    }
    if (const std::string& digest = found->second.trace.digest; digest != completion.latents_digest) {
      return fmt::format("{}/{}: its latents digest is {}, completed.json says {}", rows.records.directory, want.file,
                         digest.empty() ? "missing" : digest, completion.latents_digest);
    }
  }
  return std::nullopt;
}

void read_traces(AttemptRows& rows) {
  for (const auto& [rank, file] : rows.records.traces) {
    try {
      RankRows one;
      one.bytes = static_cast<int64_t>(fs::file_size(file));
      one.sha256 = sha256_file(file);
      one.trace = read_trace(file);
      const Json environment = Json::parse(one.trace.environment_json, nullptr, false);
      if (environment.is_object()) {
        one.host = text_or_empty(environment, "host");
        flatten(environment, "", one.environment);
      }
      one.summary = summarize_steps(one.trace.rows.events);
      rows.ranks.emplace(rank, std::move(one));
    } catch (const std::exception& error) {
      rows.problems.emplace_back(error.what());
    }
  }
}

void read_settings(AttemptRows& rows) {
  const std::string file = rows.records.directory + "/spec.json";
  try {
    const bool used = !rows.ranks.empty();
    const std::string text = used ? rows.ranks.begin()->second.trace.spec_json : read_text_if_there(file).value_or("");
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) throw bad_input(fmt::format("{}: is not JSON", used ? "a trace's /spec" : file));
    rows.spec = spec_from_json(json, used ? rows.records.traces.begin()->second + ": /spec" : file);
  } catch (const Error& error) {
    rows.problems.emplace_back(error.what());
  }
}

void judge(AttemptRows& rows) {
  AttemptRecords& records = rows.records;
  std::optional<std::string> damage;
  try {
    if (const auto failure = read_failure(records.directory)) {
      records.exit_code = failure->exit_code;
      records.line = failure->line;
    }
    const auto completion = read_completion(records.directory);
    if (!completion) {
      rows.problem = records.line.empty() ? "completed.json is missing" : records.line;
      return;
    }
    rows.latents_digest = completion->latents_digest;
    if (records.started_at.empty()) records.started_at = completion->started_at;
    if (records.finished_at.empty()) records.finished_at = completion->finished_at;
    damage = verify_completion(records.directory, *completion);
    if (!damage) damage = row_problem(rows, *completion);
    if (!damage && records.state && records.state != "completed") {
      damage = fmt::format("{}: the launcher says {}, yet completed.json is whole", records.directory, *records.state);
    }
  } catch (const Error& error) {
    damage = error.what();
  }
  rows.complete = !damage;
  if (!damage) return;
  rows.problem = *damage;
  rows.problems.push_back(*damage);
}

}  // namespace

std::optional<AttemptRecords> read_attempt_records(const std::string& directory) {
  AttemptRecords records;
  records.directory = directory;
  std::string seen;
  std::map<std::string, std::string> texts;
  for (const char* name : {"attempt.json", "state.json", "spec.json", "completed.json", "failure.json", "slurm.json",
                           "transitions.jsonl"}) {
    texts[name] = read_text_if_there(directory + '/' + name).value_or("");
    seen += fmt::format("{} {}\n{}", name, texts[name].size(), texts[name]);
  }
  if (texts["attempt.json"].empty()) return std::nullopt;
  try {
    const Json attempt = Json::parse(texts["attempt.json"]);
    records.sweep = attempt.at("sweep");
    records.run = attempt.at("run");
    records.config = attempt.at("config");
    records.repeat = attempt.at("repeat");
    records.number = attempt.at("attempt");
    records.token = attempt.at("token");
    records.launcher = attempt.value("launcher", "");
    if (records.launcher == "slurm") {
      records.slurm = read_slurm(attempt, texts["slurm.json"], texts["transitions.jsonl"]);
    }
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}/attempt.json: is not an attempt's record: {}", directory, error.what()));
  }
  const Json state = Json::parse(texts["state.json"], nullptr, false);
  if (state.is_object()) {
    records.state = text_or_empty(state, "state");
    records.exit_code = optional_integer(state, "exit_code");
    records.signal = optional_integer(state, "signal");
    records.started_at = text_or_empty(state, "started_at");
    records.finished_at = text_or_empty(state, "ended_at");
    records.line = text_or_empty(state, "line");
  } else if (!texts["state.json"].empty()) {
    throw bad_input(fmt::format("{}/state.json: is not a JSON object", directory));
  }
  find_traces(records, seen);
  records.fingerprint = sha256(seen.data(), seen.size());
  return records;
}

AttemptRows read_attempt_rows(AttemptRecords records) {
  AttemptRows rows;
  rows.records = std::move(records);
  read_traces(rows);
  read_settings(rows);
  judge(rows);
  align_clocks(rows.ranks);
  add_traffic(rows.ranks);
  return rows;
}

}  // namespace wansweep
