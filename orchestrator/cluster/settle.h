// Settles submissions that an earlier wansweep began and did not finish.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/sweep/submission.h"

namespace wansweep {

// Settles submissions whose outcome is unknown. A submission that squeue, sacct or a started file shows is adopted; one
// that Slurm does not know is withdrawn, so that a job that appears later runs nothing. Waits as long as Slurm may
// take, by the profile, to show a job. Attempts that a job may have claimed, and records that cannot be read, are left
// alone and named. Returns a line for each. Throws Error(scheduler_unavailable) when Slurm does not answer or its
// answer cannot be read. The caller holds the sweep's lock.
std::vector<std::string> settle_submissions(const std::string& sweep_directory);

// Withdraws the members of a submission that Slurm refused. A member that a job has claimed all the same is left alone,
// and the next settle_submissions names it.
void withdraw_members(const Submission& submission, const std::string& sweep_directory, const std::string& why);

}  // namespace wansweep
