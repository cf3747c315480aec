// What Slurm says of the members of our job arrays, as values, and how the text of its commands becomes them.
//
// The text comes from whatever squeue, sacct and sbatch a site has: other versions, wrappers that add lines, accounting
// that leaves fields out. A line that cannot be read is kept as such, and never taken for the absence of a job.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "slurm/job_state.h"

namespace wansweep {

// A member of an array is named by the array's name (our token) and its index.
using MemberKey = std::pair<std::string, int>;

struct JobRow {
  int64_t array_job = 0;
  JobState state = JobState::unknown;
  std::string word;    // Slurm's own
  std::string reason;  // why it waits
  std::string nodes;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string started_at;  // ISO 8601, UTC; empty: not yet, or not readable
  std::string ended_at;
};

struct JobRows {
  bool answered = false;  // whether the command came back with an answer, empty or not
  std::string problem;    // why not
  std::map<MemberKey, JobRow> members;
  std::map<std::string, JobRow> whole_arrays;  // by token: a row that names an array and none of its members
  std::vector<std::string> unread;             // lines that may be about our jobs, and cannot be read

  // The member's own row, or else its array's.
  std::optional<JobRow> find(const MemberKey& member) const;
  // Whether Slurm has no job that is not among the rows.
  bool complete() const { return answered && unread.empty(); }
  // Of all rows the smallest; 0: there is none.
  int64_t first_job() const;
};

// What was asked for: squeue's --Format and sacct's --format, in the order that the readers below expect.
extern const char* const squeue_format;
extern const char* const sacct_format;

// Lines of other jobs than `tokens` are passed over.
JobRows read_squeue(const std::string& text, const std::vector<std::string>& tokens);
JobRows read_sacct(const std::string& text, const std::vector<std::string>& tokens);

// The job's id among the lines that sbatch, or a site's wrapper around it, printed: "1001", "1001;cluster" or
// "Submitted batch job 1001". nullopt: none, or more than one.
std::optional<int64_t> read_sbatch(const std::string& text);

}  // namespace wansweep
