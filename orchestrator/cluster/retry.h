// Plans new attempts, as job arrays, for the failed runs of a sweep that was submitted to Slurm, with more time or
// memory where that was lacking.
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
  std::string worker;                     // empty: each run's last worker
  int max_running = 0;                    // 0: as in the sweep's last submission
  std::optional<ClusterProfile> profile;  // nullopt: the profile that each run was submitted with
};

struct SlurmRetry {
  std::vector<PlannedArray> arrays;  // the arrays point into the failed runs' plan
  size_t runs = 0;                   // number of runs in the arrays; `text` says why the others are not retried
  std::string text;                  // a table with one row for each run
};

// Each request is the last attempt's, times the policy's factor. A node that failed for one run is excluded for all.
// The caller holds the sweep's lock.
SlurmRetry plan_slurm_retry(const FailedRuns& failed, const std::string& directory, const RetryGrants& grants);

// Whether an ended attempt would be retried, not counting the limits of its cluster.
bool can_go_again(const Attempt& attempt, const RetryGrants& grants);

}  // namespace wansweep
