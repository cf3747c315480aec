// The order in which an attempt becomes rows:
//
//   read      every trace that can be read, with its SHA-256 taken first: what is appended meanwhile is read, and
//   counted as
//             new at the next gather, never lost
//   judge     complete is what the worker's record, the files that it names and the launcher agree on
//   correct   traces of format 1 as today's worker writes them (first_load.h), before anything is summed
//   sum       by step, and, on the clock that all ranks share, by what ran beside

#include "orchestrator/store/attempt_rows.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "orchestrator/engines/concluded_switch.h"
#include "orchestrator/store/rank_clocks.h"
#include "orchestrator/sweep/attempt_state.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

// Clocks that are set by NTP differ by less.
constexpr double most_seconds_apart = 2;

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

void read_environment(RankRows& one) {
  const std::string& text = one.trace.environment_json;
  if (json_levels(text) > most_json_levels) return;
  const Json environment = Json::parse(text, nullptr, false);
  if (!environment.is_object()) return;
  const auto host = environment.find("host");
  if (host != environment.end() && host->is_string()) one.host = host->get<std::string>();
  flatten(environment, "", one.environment);
  one.of_worker = !one.environment.contains("engine.name");
  one.tells_events = one.of_worker || one.environment.contains("engine.tells[1]");
}

void read_traces(AttemptRows& rows) {
  for (const auto& [rank, file] : rows.records.traces) {
    try {
      RankRows one;
      one.bytes = trace_bytes(file);
      one.sha256 = sha256_file(file);
      one.trace = read_trace(file);
      read_environment(one);
      rows.ranks.emplace(rank, std::move(one));
    } catch (const std::exception& error) {
      rows.problems.emplace_back(error.what());
    }
  }
}

// The settings as the loop used them, from the trace; without a trace, from spec.json, whose damage is then reported.
void read_settings(AttemptRows& rows) {
  std::string where = rows.records.directory + "/spec.json";
  std::optional<Json> json;
  try {
    json = read_json_object_if_there(where);
  } catch (const Error& error) {
    rows.problems.emplace_back(error.what());
  }
  try {
    if (!rows.ranks.empty()) {
      where = fmt::format("{}: /spec", rows.records.traces.at(rows.ranks.begin()->first));
      json = parse_json(rows.ranks.begin()->second.trace.spec_json, where);
    }
    if (!json) return;
    rows.spec = settings_from_json(*json, where);
    rows.plan = plan_of_attempt(*rows.spec, *json);
  } catch (const Error& error) {
    rows.problems.emplace_back(error.what());
  }
}

// Of an import of an earlier version: a later one has found the contradiction itself.
void check_concluded_switch(AttemptRows& rows) {
  if (!rows.spec || rows.ranks.empty() || rows.ranks.begin()->second.of_worker) return;
  if (!rows.records.launcher.empty()) return;  // started by wansweep, which gave the flow_shift as a flag
  std::vector<TraceRows*> ranks;
  for (auto& [rank, one] : rows.ranks) ranks.push_back(&one.trace.rows);
  const std::optional<std::string> doubt = doubt_concluded_switch(*rows.spec, ranks);
  if (!doubt) return;
  rows.plan = plan_of_attempt(*rows.spec, Json::object());
  rows.notes.push_back(fmt::format("{}: {}", rows.records.directory, *doubt));
}

// Compares the numbers of rows in completed.json with the rows that were read.
std::optional<std::string> row_problem(const AttemptRows& rows, const Completion& completion) {
  for (int rank = 0; rank < completion.ranks; ++rank) {
    const auto found = rows.ranks.find(rank);
    const TraceRecord& want = completion.traces[static_cast<size_t>(rank)];
    if (found == rows.ranks.end()) return fmt::format("{}: {} cannot be read", rows.records.directory, want.file);
    const TraceRows& got = found->second.trace.rows;
    const auto differs = [](int64_t wanted, size_t there) { return wanted != static_cast<int64_t>(there); };
    if (differs(want.steps, got.steps.size()) || differs(want.events, got.events.size()) ||
        differs(want.memory, got.memory.size())) {
      return fmt::format("{}/{}: has {} steps, {} events, {} memory rows, but completed.json says {}, {}, {}",
                         rows.records.directory, want.file, got.steps.size(), got.events.size(), got.memory.size(),
                         want.steps, want.events, want.memory);
    }
    if (const std::string& digest = found->second.trace.digest; digest != completion.latents_digest) {
      return fmt::format("{}/{}: the digest of the latents is {}, but completed.json says {}", rows.records.directory,
                         want.file, digest.empty() ? "missing" : digest, completion.latents_digest);
    }
  }
  return std::nullopt;
}

// Seconds since 1970 of "2026-11-24T02:10:00.123Z"; nullopt: another form, or a time zone that is not told.
std::optional<double> utc_seconds(const std::string& text) {
  std::tm time{};
  double seconds = 0;
  char zone = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf%c", &time.tm_year, &time.tm_mon, &time.tm_mday, &time.tm_hour,
                  &time.tm_min, &seconds, &zone) != 7 ||
      zone != 'Z') {
    return std::nullopt;
  }
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  return static_cast<double>(timegm(&time)) + seconds;
}

// The launcher sees an attempt begin before the worker does, and end after it.
void note_clocks(AttemptRows& rows, const Completion& completion) {
  const auto earlier_by = [](const std::string& first, const std::string& second) {
    const std::optional<double> one = utc_seconds(first), other = utc_seconds(second);
    return one && other ? *one - *other : 0.0;
  };
  const AttemptRecords& r = rows.records;
  const double apart =
      std::max(earlier_by(r.started_at, completion.started_at), earlier_by(completion.finished_at, r.finished_at));
  if (apart <= most_seconds_apart) return;
  rows.notes.push_back(fmt::format(
      "{}: the clocks of the launcher's node and of the worker's node differ by at least {:.0f} s; times of steps "
      "and events are not affected, since the ranks measure them",
      r.directory, std::floor(apart)));
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
    rows.result = completion->result;
    note_clocks(rows, *completion);
    if (records.started_at.empty()) records.started_at = completion->started_at;
    if (records.finished_at.empty()) records.finished_at = completion->finished_at;
    damage = verify_completion(records.directory, *completion);
    if (!damage) damage = row_problem(rows, *completion);
    if (!damage && records.state && records.state != name_of(AttemptEnd::completed)) {
      damage = fmt::format("{}: the launcher recorded {}, but completed.json is complete", records.directory,
                           *records.state);
    }
  } catch (const Error& error) {
    damage = error.what();
  }
  rows.complete = !damage;
  if (!damage) return;
  rows.problem = *damage;
  rows.problems.push_back(*damage);
}

// Durations are summed on each rank's own clock, where they are exact; what ran beside what, on the one that all share.
void correct_and_sum(AttemptRows& rows) {
  const std::optional<OffloadMode> mode = rows.spec ? std::optional(rows.spec->offload) : std::nullopt;
  std::vector<const TraceRows*> all;
  std::vector<HostedEvents> events;
  AttemptEvents attempt;
  for (auto& [rank, one] : rows.ranks) {
    TraceRows& trace = one.trace.rows;
    const bool moved = one.trace.format == 1 && correct_format_1(trace);
    one.summary = summarize_steps(trace.events);
    if (one.of_worker) one.first_load = first_load_of(trace, one.trace.format, mode);
    to_shared_clock(trace);
    if (moved) begin_after_first_load(trace);
    all.push_back(&trace);
    events.push_back({&trace.events, one.host});
    attempt.ranks.push_back({rank, one.host, &trace.events, &trace.steps});
  }
  const int64_t origin = origin_of(all);
  for (auto& [rank, one] : rows.ranks) count_from(origin, one.trace.rows);
  std::vector<Traffic> traffic = summarize_traffic(events);  // ranks of a host that share a link slow each other down
  auto next = traffic.begin();
  for (auto& [rank, one] : rows.ranks) one.traffic = std::move(*next++);
  if (rows.plan && rows.plan->cfg) attempt.spread = {*rows.plan->cfg, rows.plan->ulysses, rows.plan->ring};
  rows.sums = sum_attempt(attempt);
  size_t r = 0;  // what a rank did in a step of which only the length is told is not known, and is not idle time
  for (const auto& [rank, one] : rows.ranks) {
    if (auto& parts = rows.sums.parts[r++]; !one.tells_events) parts.clear();
  }
}

// Of the last step, and only where every rank counted in it.
std::optional<int64_t> count_nonfinite(const std::map<int, RankRows>& ranks) {
  int64_t values = 0;
  for (const auto& [rank, one] : ranks) {
    const TraceRows& rows = one.trace.rows;
    if (rows.nonfinite.empty() || rows.steps.empty() || rows.nonfinite.back().step != rows.steps.back().step) return {};
    values += rows.nonfinite.back().values;
  }
  return ranks.empty() ? std::nullopt : std::optional(values);
}

}  // namespace

AttemptRows read_attempt_rows(AttemptRecords records) {
  AttemptRows rows;
  rows.records = std::move(records);
  read_traces(rows);
  read_settings(rows);
  check_concluded_switch(rows);
  judge(rows);
  correct_and_sum(rows);
  rows.nonfinite_values = count_nonfinite(rows.ranks);
  return rows;
}

}  // namespace wansweep
