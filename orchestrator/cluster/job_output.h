// slurm-<index>.out of a submission: what a member's job script, and the site's scripts in it, said.
#pragma once

#include <string>

#include "orchestrator/sweep/attempt.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {

std::string job_output_file(const Submission& submission, int index);

// Its end, as far as it explains a failure. Both as they were said: printable() is for whoever shows them.
struct JobOutputEnd {
  std::string said;    // the last line of a program
  std::string script;  // the last line of the job script itself, when it comes after that; without its "wansweep: "
};

// Of the file's last part. Empty where there is none, or it cannot be read.
JobOutputEnd end_of_job_output(const std::string& file);

// Why the attempt failed: the worker's own words, or, when it never started, the end of the job's output. Empty: nobody
// said anything.
std::string last_words(const Attempt& attempt, const Submission& submission);

// Where Slurm only watches memory (no cgroup), a job that it kills for that is FAILED, and only its output tells why.
bool was_killed_for_memory(const Attempt& attempt, const Submission& submission);

}  // namespace wansweep
