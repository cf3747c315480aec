// One question to Slurm about many attempts: what each cluster's squeue and sacct say of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/cluster/live_attempts.h"
#include "slurm/client.h"

namespace wansweep {

// One cluster's word on some of our arrays.
struct SlurmWord {
  JobRows queue;
  JobRows accounting;
  bool knows_all = false;             // a member without a row is not there: both answered, and every line was read
  std::vector<std::string> problems;  // what could not be learned, a line each

  // squeue's row, or else sacct's.
  std::optional<JobRow> find(const MemberKey& member) const;
  // The smallest id of all jobs; 0: there is none.
  int64_t first_job() const;
};

// squeue is asked first; sacct only where some member is not among its rows. `since`: when the first was submitted.
SlurmWord ask_slurm(SlurmClient& client, const std::vector<MemberKey>& members, int64_t since);

struct SlurmWords {
  std::map<std::string, SlurmWord> by_cluster;  // by ClusterProfile::cluster
  int calls = 0;
};

// Of all whose submission is known.
SlurmWords ask_about(const LiveAttempts& live);

}  // namespace wansweep
