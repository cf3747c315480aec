// Asks Slurm about many attempts at once: the answers of each cluster's squeue and sacct.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/cluster/live_attempts.h"
#include "slurm/client.h"

namespace wansweep {

// One cluster's answer about our arrays.
struct SlurmWord {
  JobRows queue;
  JobRows accounting;
  bool knows_all = false;  // both commands answered and every line was read: a member without a row is unknown
  bool no_slurm = false;   // this host has no Slurm, or none that is set up: asking again is of no use
  std::vector<std::string> problems;  // one line for each answer that is missing or cannot be read

  // squeue's row, or else sacct's; nullptr when there is neither.
  std::optional<JobRow> find(const MemberKey& member) const;
  // The smallest job id; 0 when there is no job.
  int64_t first_job() const;
};

// Asks squeue, and then sacct if a member has no row. `since` is the time of the first submission.
SlurmWord ask_slurm(SlurmClient& client, const std::vector<MemberKey>& members, int64_t since);

struct SlurmWords {
  std::map<std::string, SlurmWord> by_cluster;  // by ClusterProfile::cluster
  int calls = 0;
};

// Asks about all attempts whose submission is known.
SlurmWords ask_about(const LiveAttempts& live);

}  // namespace wansweep
