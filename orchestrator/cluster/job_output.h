// Reads slurm-<index>.out of a submission: the output of a member's job script and of the site's scripts in it.
#pragma once

#include <string>

#include "orchestrator/sweep/attempt.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {

std::string job_output_file(const Submission& submission, int index);

// The end of a job's output, as far as it explains a failure. The text is raw: apply printable() before showing it.
struct JobOutputEnd {
  std::string said;    // the last line that a program printed
  std::string script;  // the job script's own line after that, if any, without its "wansweep: "
};

// Reads the last part of the file. Both are empty when there is no such file or it cannot be read.
JobOutputEnd end_of_job_output(const std::string& file);

// Why the attempt failed: the worker's own line, or, when the worker never started, the end of the job's output. Empty
// when there is neither.
std::string last_words(const Attempt& attempt, const Submission& submission);

// Where Slurm only polls memory (no cgroup), a job that it kills for its memory is FAILED, and only the job's output
// tells why.
bool was_killed_for_memory(const Attempt& attempt, const Submission& submission);

}  // namespace wansweep
