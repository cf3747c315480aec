// What Slurm says of a job, and what it means for an attempt.
#pragma once

#include <string_view>

#include "base/enum_names.h"

namespace wansweep {

enum class JobState {
  queued,     // waits
  running,    // holds nodes, or is about to let go of them
  completed,  // ended with exit code 0
  failed,
  cancelled,
  timeout,
  out_of_memory,
  node_failure,
  boot_failure,
  preempted,
  lost,     // Slurm does not know it
  unknown,  // a word that this table does not have, or no answer: never taken for an end, nor for success
};

// As state.json and the database have it.
constexpr std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::queued:
      return "queued";
    case JobState::running:
      return "running";
    case JobState::completed:
      return "completed";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
    case JobState::timeout:
      return "timeout";
    case JobState::out_of_memory:
      return "out_of_memory";
    case JobState::node_failure:
      return "node_failure";
    case JobState::boot_failure:
      return "boot_failure";
    case JobState::preempted:
      return "preempted";
    case JobState::lost:
      return "lost";
    case JobState::unknown:
      return "unknown";
  }
  return {};
}

// The state that name_of gave `name` for; `unknown` for any other.
JobState job_state_named(std::string_view name);

// One line for people: what happened, and what helps.
std::string_view meaning_of(JobState state);

// Neither queued, running nor unknown. A preempted job may come back to the queue: see orchestrator/cluster/judge.h.
bool is_terminal(JobState state);

// From squeue's %T or sacct's State: "CANCELLED by 1234" and "CANCELLED+" are read too.
JobState job_state_from(std::string_view slurm);

}  // namespace wansweep
