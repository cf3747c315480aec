// The one place that runs sbatch, squeue, sacct, scancel, scontrol and sinfo.
//
// Exit code and standard output decide, never standard error: sbatch warns there and succeeds. Each command has a
// timeout, runs without the SLURM_*, SBATCH_*, ... of the shell it came from (they would override the script), and is
// counted. Which cluster is asked is said to each of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "slurm/job_rows.h"
#include "slurm/profile.h"

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

struct CancelAnswer {
  bool answered = true;  // false: Slurm was silent
  std::string problem;   // empty: done
};

class SlurmClient {
 public:
  // `cluster`: which one, where a Slurm has several; empty: the one that its slurm.conf names.
  SlurmClient(int64_t timeout_seconds, std::string cluster) : timeout_(timeout_seconds), cluster_(std::move(cluster)) {}
  explicit SlurmClient(const ClusterProfile& profile) : SlurmClient(profile.command_timeout, profile.cluster) {}

  // `directory` becomes the job's working directory, where Slurm's own output goes.
  SubmitAnswer submit(const std::string& script, const std::string& directory);
  // What squeue still knows, ended jobs too for as long as the controller keeps them (MinJobAge).
  JobRows queue(const std::vector<std::string>& tokens);
  // What sacct knows of jobs submitted since `since` (seconds of the epoch).
  JobRows accounting(const std::vector<std::string>& tokens, int64_t since);
  // "ID" or "ID_INDEX".
  CancelAnswer cancel(const std::vector<std::string>& jobs);
  CommandResult show_config();
  CommandResult show_nodes(const std::string& partition);  // sinfo: see node_list.h

  int calls() const { return calls_; }

 private:
  CommandResult run(std::vector<std::string> arguments);

  int64_t timeout_;
  std::string cluster_;
  int calls_ = 0;
};

}  // namespace wansweep
