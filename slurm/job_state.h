// Slurm's states of a job, and their meaning for an attempt.
#pragma once

#include <string_view>

#include "base/enum_names.h"

namespace wansweep {

enum class JobState {
  queued,     // waits
  running,    // holds nodes, or is about to release them
  completed,  // ended with exit code 0
  failed,
  cancelled,
  timeout,
  out_of_memory,
  node_failure,
  boot_failure,
  preempted,
  lost,     // Slurm does not know the job
  unknown,  // a word that this table does not have, or no answer: neither an end nor a success
};

// The name of a state in state.json and in the database.
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

// Whether the job has ended: it is neither queued, running nor unknown. A preempted job may return to the queue: see
// orchestrator/cluster/judge.h.
bool is_terminal(JobState state);

// The state for a word from squeue's %T or sacct's State, including "CANCELLED by 1234" and "CANCELLED+".
JobState job_state_from(std::string_view slurm);

}  // namespace wansweep
