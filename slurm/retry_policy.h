// What helps an attempt that failed: the same again, more of something, another node, or nothing.
#pragma once

#include <optional>
#include <string>

#include "slurm/job_state.h"

namespace wansweep {

// What the user grants: --time-factor, --mem-factor. Above 1.
struct RetryFactors {
  std::optional<double> time;
  std::optional<double> memory;
};

struct RetryDecision {
  bool retry = false;
  double time_factor = 1;
  double memory_factor = 1;
  bool exclude_nodes = false;  // the nodes that the attempt ran on
  std::string why;             // one line; without a retry, what the user can do
};

// `exit_code` is the worker's own where it left one.
RetryDecision retry_policy(JobState state, std::optional<int> exit_code, const RetryFactors& factors);

}  // namespace wansweep
