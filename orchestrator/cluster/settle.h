// Submissions that a wansweep began and did not see through.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/sweep/submission.h"

namespace wansweep {

// Settles submissions whose fate is not known: found in squeue, sacct or among the started files, they are adopted;
// when Slurm answers and does not know them, they are withdrawn, so that a job which appears all the same runs nothing.
// Waits for as long as the profile says that Slurm may take to show a job. What a job may have, and what cannot be
// read, is left alone and named. Returns a line for each. Throws Error(scheduler_unavailable) when Slurm does not
// answer, or says what cannot be read. The caller holds the sweep's lock.
std::vector<std::string> settle_submissions(const std::string& sweep_directory);

// Withdraws the members of a submission that Slurm refused. One that a job has all the same is left alone, and the next
// settle_submissions names it.
void withdraw_members(const Submission& submission, const std::string& sweep_directory, const std::string& why);

}  // namespace wansweep
