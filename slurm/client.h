// The one place that runs sbatch, squeue, sacct, scancel, scontrol and sinfo.
//
// Exit code and standard output decide, never standard error, where sbatch also prints warnings. Each command has a
// timeout, runs without the shell's SLURM_*, SBATCH_*, ... variables (they would override the script), names the
// cluster that it asks, and is counted. One thread uses a client.
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

// Whether Slurm accepted the job. `unknown`: sbatch printed no id, but Slurm may have accepted the job all the same.
struct SubmitAnswer {
  enum class Kind { accepted, refused, unknown } kind = Kind::unknown;
  int64_t job_id = 0;
  std::string message;  // sbatch's, when refused or unknown
};

struct CancelAnswer {
  bool answered = true;  // false: Slurm did not answer
  std::string problem;   // empty when the jobs are cancelled
};

class SlurmClient {
 public:
  // `cluster` is the cluster's name, for a Slurm that has several; empty: the one in slurm.conf.
  SlurmClient(int64_t timeout_seconds, std::string cluster) : timeout_(timeout_seconds), cluster_(std::move(cluster)) {}
  explicit SlurmClient(const ClusterProfile& profile) : SlurmClient(profile.command_timeout, profile.cluster) {}

  // `directory` becomes the job's working directory, where Slurm writes the job's output.
  SubmitAnswer submit(const std::string& script, const std::string& directory);
  // The jobs that squeue lists: live ones, and ended ones for as long as the controller keeps them (MinJobAge).
  JobRows queue(const std::vector<std::string>& tokens);
  // The jobs that sacct lists, submitted since `since` (seconds of the epoch).
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
