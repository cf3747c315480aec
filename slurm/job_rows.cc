// Each line is read by itself, so that an odd line hides no other. A field that only informs (an exit code, a time) is
// left out when it cannot be read. A line whose job or state cannot be read is kept in `unread`, and the answer is then
// not complete: a job without a row may still exist.

#include "slurm/job_rows.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include "slurm/array_ids.h"
#include "slurm/whole_number.h"

namespace wansweep {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The lines of `text`, without empty lines and without the headings that --clusters prints before each cluster's jobs.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view content = trimmed(line);
    if (!content.empty() && !content.starts_with("CLUSTER: ")) lines.emplace_back(content);
  }
  return lines;
}

// Seconds of the epoch as ISO 8601; empty for "Unknown", "N/A", "None" and "0".
std::string time_in(std::string_view text) {
  constexpr int64_t first_second = 100'000'000;     // 1973: no job is older
  constexpr int64_t last_second = 253'402'300'799;  // the end of the year 9999
  const std::optional<int64_t> number = whole_number(text);
  if (!number || *number < first_second || *number > last_second) return "";
  const std::time_t seconds = *number;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> buffer{};
  std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return buffer.data();
}

// squeue's exit_code is the status from wait(). Values such as 4294967294 mean that there is none.
void set_wait_status(JobRow& row, std::string_view text) {
  const std::optional<int64_t> number = whole_number(text);
  if (!number || *number > 0xFFFF) return;
  const int status = static_cast<int>(*number);
  if (WIFSIGNALED(status)) row.signal = WTERMSIG(status);
  if (WIFEXITED(status)) row.exit_code = WEXITSTATUS(status);
}

// sacct's ExitCode, "1:0": exit code and signal.
void set_exit_code(JobRow& row, std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return;
  const std::optional<int64_t> code = whole_number(text.substr(0, colon));
  const std::optional<int64_t> signal = whole_number(text.substr(colon + 1));
  if (!code || !signal || *code > 255 || *signal > 127) return;
  if (*signal != 0) {
    row.signal = static_cast<int>(*signal);
  } else {
    row.exit_code = static_cast<int>(*code);
  }
}

std::string known_text(const std::string& text) {
  for (const char* nothing : {"None", "None assigned", "N/A", "(null)"}) {
    if (text == nothing) return "";
  }
  return text;
}

// A later job of the same name, which somebody can only have made by hand, does not hide the first.
template <class Key>
void add(std::map<Key, JobRow>& rows, const Key& key, const JobRow& row) {
  const auto [known, added] = rows.try_emplace(key, row);
  if (!added && row.array_job < known->second.array_job) known->second = row;
}

void add(JobRows& rows, const std::string& token, const ArrayIds& ids, const JobRow& row) {
  if (ids.indices.empty()) add(rows.whole_arrays, token, row);
  for (const int index : ids.indices) add(rows.members, MemberKey{token, index}, row);
}

// The columns of a line, with or without a separator at its end; nullopt when there are not exactly `fields`.
std::optional<std::vector<std::string>> columns_of(const std::string& line, size_t fields) {
  std::vector<std::string> columns = split(line, '|');
  if (columns.size() == fields + 1 && columns.back().empty()) columns.pop_back();
  if (columns.size() != fields) return std::nullopt;
  for (std::string& column : columns) column = trimmed(column);
  return columns;
}

enum SqueueColumn { name, array_job, array_index, state, reason, nodes, wait_status, start, end, squeue_columns };

}  // namespace

const char* const squeue_format =
    "Name:|,ArrayJobID:|,ArrayTaskID:|,State:|,Reason:|,NodeList:|,exit_code:|,StartTime:|,EndTime:|";
const char* const sacct_format = "JobName,JobID,State,ExitCode,NodeList,Start,End";

std::optional<JobRow> JobRows::find(const MemberKey& member) const {
  const auto own = members.find(member);
  if (own != members.end()) return own->second;
  const auto array = whole_arrays.find(member.first);
  return array != whole_arrays.end() ? std::optional(array->second) : std::nullopt;
}

int64_t JobRows::first_job() const {
  int64_t first = 0;
  const auto look_at = [&first](const JobRow& row) {
    if (first == 0 || row.array_job < first) first = row.array_job;
  };
  for (const auto& [key, row] : members) look_at(row);
  for (const auto& [key, row] : whole_arrays) look_at(row);
  return first;
}

JobRows read_squeue(const std::string& text, const std::vector<std::string>& tokens) {
  JobRows rows;
  rows.answered = true;
  for (const std::string& line : lines_of(text)) {
    const auto columns = columns_of(line, squeue_columns);
    if (!columns) {
      rows.unread.push_back(line);
      continue;
    }
    const std::vector<std::string>& f = *columns;
    if (std::find(tokens.begin(), tokens.end(), f[name]) == tokens.end()) continue;
    const bool no_member = f[array_index] == "N/A" || f[array_index].empty();
    const std::optional<ArrayIds> ids = parse_array_ids(no_member ? f[array_job] : f[array_job] + '_' + f[array_index]);
    if (!ids || ids->job == 0 || f[state].empty()) {
      rows.unread.push_back(line);
      continue;
    }
    JobRow row;
    row.array_job = ids->job;
    row.state = job_state_from(f[state]);
    row.word = f[state];
    row.reason = known_text(f[reason]);
    row.nodes = known_text(f[nodes]);
    row.started_at = time_in(f[start]);
    if (is_terminal(row.state)) {
      row.ended_at = time_in(f[end]);
      set_wait_status(row, f[wait_status]);
    }
    add(rows, f[name], *ids, row);
  }
  return rows;
}

JobRows read_sacct(const std::string& text, const std::vector<std::string>& tokens) {
  constexpr size_t sacct_columns = 7;
  JobRows rows;
  rows.answered = true;
  for (const std::string& line : lines_of(text)) {
    const auto columns = columns_of(line, sacct_columns);
    if (!columns) {
      rows.unread.push_back(line);
      continue;
    }
    const std::vector<std::string>& f = *columns;
    if (std::find(tokens.begin(), tokens.end(), f[0]) == tokens.end()) continue;
    const std::optional<ArrayIds> ids = parse_array_ids(f[1]);
    if (!ids || ids->job == 0 || f[2].empty()) {
      rows.unread.push_back(line);
      continue;
    }
    JobRow row;
    row.array_job = ids->job;
    row.state = job_state_from(f[2]);
    row.word = f[2];
    row.nodes = known_text(f[4]);
    row.started_at = time_in(f[5]);
    row.ended_at = time_in(f[6]);
    if (is_terminal(row.state)) set_exit_code(row, f[3]);
    add(rows, f[0], *ids, row);
  }
  return rows;
}

std::optional<int64_t> read_sbatch(const std::string& text) {
  constexpr std::string_view spoken = "Submitted batch job ";
  std::optional<int64_t> found;
  for (const std::string& line : lines_of(text)) {
    std::string_view word = line;
    if (word.starts_with(spoken)) {
      word.remove_prefix(spoken.size());
      word = word.substr(0, word.find(' '));
    } else {
      word = word.substr(0, word.find(';'));
    }
    const std::optional<int64_t> job = whole_number(word);
    if (!job || *job == 0) continue;
    if (found && *found != *job) return std::nullopt;
    found = job;
  }
  return found;
}

}  // namespace wansweep
