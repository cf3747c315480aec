// The one place that runs sbatch, squeue, sacct, scancel, scontrol and sinfo.
//
// Exit code and standard output decide, never standard error: sbatch warns there and succeeds. Each command has a
// timeout, runs without the SLURM_*, SBATCH_*, ... of the shell it came from (they would override the script), and is
// counted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "slurm/job_state.h"

namespace wansweep {

struct CommandResult {
  int exit_code = -1;  // -1: ended by a signal, or timed_out
  bool timed_out = false;
  std::string out;
  std::string err;
};

// Whether sbatch took the job. `unknown`: it gave no id, and may have taken it all the same.
struct SubmitAnswer {
  enum class Kind { accepted, refused, unknown } kind = Kind::unknown;
  int64_t job_id = 0;
  std::string message;  // sbatch's, when refused or unknown
};

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
  std::string started_at;  // ISO 8601, UTC; empty: not yet
  std::string ended_at;
};

struct JobRows {
  bool answered = false;  // whether the command came back with an answer, empty or not
  std::string problem;    // why not
  std::map<MemberKey, JobRow> rows;
};

class SlurmClient {
 public:
  explicit SlurmClient(int64_t timeout_seconds) : timeout_(timeout_seconds) {}

  // `directory` becomes the job's working directory, where Slurm's own output goes.
  SubmitAnswer submit(const std::string& script, const std::string& directory);
  // What squeue still knows, ended jobs too for as long as the controller keeps them (MinJobAge).
  JobRows queue(const std::vector<std::string>& tokens);
  // What sacct knows of jobs submitted since `since` (seconds of the epoch).
  JobRows accounting(const std::vector<std::string>& tokens, int64_t since);
  // "ID" or "ID_INDEX"; empty: done, else what scancel says.
  std::string cancel(const std::vector<std::string>& jobs);
  CommandResult show_config();
  CommandResult show_nodes(const std::string& partition);  // sinfo: PARTITION|AVAIL|TIMELIMIT|NODES|CPUS|MEMORY|GRES

  int calls() const { return calls_; }

 private:
  CommandResult run(std::vector<std::string> arguments);

  int64_t timeout_;
  int calls_ = 0;
};

}  // namespace wansweep
