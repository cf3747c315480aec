// The attempts without an end that Slurm has, or may have, and their submissions.
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
  std::vector<std::string> problems;              // one line for each entry that cannot be read

  // The attempt's submission; nullptr when it was never recorded or cannot be read.
  const Submission* submission_of(const Attempt& attempt) const;
};

LiveAttempts find_live_attempts(const std::string& sweep_directory);

}  // namespace wansweep
