#include "orchestrator/cluster/cancel.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "orchestrator/cluster/live_attempts.h"
#include "slurm/client.h"

namespace wansweep {
namespace {

struct ClusterJobs {
  std::map<int64_t, std::vector<int>> members;  // array indices, by array job id
  int64_t timeout = 1;
};

std::map<std::string, ClusterJobs> jobs_by_cluster(const LiveAttempts& live, const std::string& run) {
  std::map<std::string, ClusterJobs> clusters;
  for (const Attempt& attempt : live.attempts) {
    const Submission* submission = live.submission_of(attempt);
    if (submission == nullptr || !submission->outcome || submission->outcome->job_id == 0) continue;
    if (!run.empty() && attempt.run != run) continue;
    ClusterJobs& jobs = clusters[submission->profile.cluster];
    jobs.members[submission->outcome->job_id].push_back(attempt.index);
    jobs.timeout = std::max(jobs.timeout, submission->profile.command_timeout);
  }
  return clusters;
}

}  // namespace

std::vector<std::string> cancel_live(const std::string& sweep_directory, const std::string& run) {
  std::vector<std::string> cancelled;
  for (const auto& [cluster, of_cluster] : jobs_by_cluster(find_live_attempts(sweep_directory), run)) {
    std::vector<std::string> jobs;
    for (const auto& [job, indices] : of_cluster.members) {
      if (run.empty()) {
        jobs.push_back(std::to_string(job));  // the whole array: one word instead of a thousand
        continue;
      }
      for (const int index : indices) jobs.push_back(fmt::format("{}_{}", job, index));
    }
    const CancelAnswer answer = SlurmClient(of_cluster.timeout, cluster).cancel(jobs);
    if (!answer.problem.empty()) {
      throw Error(answer.answered ? ExitCode::bad_input : ExitCode::scheduler_unavailable, answer.problem);
    }
    cancelled.insert(cancelled.end(), jobs.begin(), jobs.end());
  }
  return cancelled;
}

}  // namespace wansweep
