// Attempts that Slurm has, or may have: without an end, and the submissions that they are members of.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/sweep/attempt.h"
#include "orchestrator/sweep/submission.h"

namespace wansweep {

struct LiveAttempts {
  std::vector<Attempt> attempts;
  std::map<std::string, Submission> submissions;  // by token
  std::vector<std::string> problems;              // entries that cannot be read, a line each

  // nullptr: its submission was never written down, or cannot be read.
  const Submission* submission_of(const Attempt& attempt) const;
};

LiveAttempts find_live_attempts(const std::string& sweep_directory);

}  // namespace wansweep
