// Parses the output of squeue, sacct and sbatch into rows about the members of our job arrays.
//
// Sites have different versions, wrappers that add lines, and accounting that leaves fields out. A line that cannot be
// read is kept as such, and never taken for the absence of a job.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "slurm/job_state.h"

namespace wansweep {

// A member of an array is identified by the array's job name (our token) and its index.
using MemberKey = std::pair<std::string, int>;

struct JobRow {
  int64_t array_job = 0;
  JobState state = JobState::unknown;
  std::string word;    // Slurm's word for the state
  std::string reason;  // why the job waits
  std::string nodes;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string started_at;  // ISO 8601, UTC; empty: not started, or not readable
  std::string ended_at;
};

struct JobRows {
  bool answered = false;  // whether the command gave an answer, empty or not
  std::string problem;    // why it did not
  std::map<MemberKey, JobRow> members;
  std::map<std::string, JobRow> whole_arrays;  // by token: a row that names an array and none of its members
  std::vector<std::string> unread;             // lines that may be about our jobs, but cannot be read

  // The member's own row, or else its array's; nullptr when there is neither.
  std::optional<JobRow> find(const MemberKey& member) const;
  // Whether the rows are complete: every line was read, so Slurm has no other job of ours.
  bool complete() const { return answered && unread.empty(); }
  // The smallest array job id of all rows; 0 when there is no row.
  int64_t first_job() const;
};

// The values of squeue's --Format and sacct's --format, in the column order that the readers below expect.
extern const char* const squeue_format;
extern const char* const sacct_format;

// Parse the output of squeue and sacct. Lines about jobs not named in `tokens` are skipped.
JobRows read_squeue(const std::string& text, const std::vector<std::string>& tokens);
JobRows read_sacct(const std::string& text, const std::vector<std::string>& tokens);

// The job id in the output of sbatch, or of a site's wrapper around it: "1001", "1001;cluster" or "Submitted batch job
// 1001". nullopt when there is no id, or more than one.
std::optional<int64_t> read_sbatch(const std::string& text);

}  // namespace wansweep
