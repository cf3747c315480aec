// How to retry a failed attempt: unchanged, with more time or memory, on other nodes, or not at all.
#pragma once

#include <optional>
#include <string>

#include "slurm/job_state.h"

namespace wansweep {

// The factors above 1 that the user allows: --time-factor, --mem-factor.
struct RetryFactors {
  std::optional<double> time;
  std::optional<double> memory;
};

struct RetryDecision {
  bool retry = false;
  double time_factor = 1;
  double memory_factor = 1;
  bool exclude_nodes = false;  // keep away from the nodes that the attempt ran on
  std::string why;             // one line; without a retry, it says what the user can do
};

// Decides from Slurm's state and from the worker's exit code, if the worker left one.
RetryDecision retry_policy(JobState state, std::optional<int> exit_code, const RetryFactors& factors);

}  // namespace wansweep
