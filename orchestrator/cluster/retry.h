// The failed runs of a sweep that went through Slurm, as arrays of new attempts: each with more of what it lacked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/cluster/submit.h"
#include "orchestrator/rerun/retry_failed.h"
#include "slurm/profile.h"
#include "slurm/retry_policy.h"

namespace wansweep {

struct RetryGrants {
  RetryFactors factors;
  std::string worker;                     // empty: the one that each run had
  int max_running = 0;                    // 0: as the sweep was submitted last
  std::optional<ClusterProfile> profile;  // none: the one that each run was submitted with
};

struct SlurmRetry {
  std::vector<PlannedArray> arrays;  // they point into the failed runs' plan
  size_t runs = 0;                   // in the arrays; the others are not tried again, and the text says why
  std::string text;                  // a row a run
};

// Asks for what the last attempt had, times the factor that the policy takes. Nodes that failed one run are left out
// for all. The caller holds the sweep's lock.
SlurmRetry plan_slurm_retry(const FailedRuns& failed, const std::string& directory, const RetryGrants& grants);

// Whether an attempt that ended would be tried again, but for the limits of its cluster.
bool can_go_again(const Attempt& attempt, const RetryGrants& grants);

}  // namespace wansweep
