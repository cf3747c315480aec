#include "orchestrator/cluster/job_end.h"

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

AttemptEnd end_of(JobState state) {
  switch (state) {
    case JobState::completed:
      return AttemptEnd::completed;
    case JobState::failed:
      return AttemptEnd::failed;
    case JobState::cancelled:
      return AttemptEnd::cancelled;
    case JobState::timeout:
      return AttemptEnd::timeout;
    case JobState::out_of_memory:
      return AttemptEnd::out_of_memory;
    case JobState::node_failure:
      return AttemptEnd::node_failure;
    case JobState::boot_failure:
      return AttemptEnd::boot_failure;
    case JobState::preempted:
      return AttemptEnd::preempted;
    case JobState::lost:
      return AttemptEnd::lost;
    case JobState::queued:
    case JobState::running:
    case JobState::unknown:
      break;
  }
  throw Error(ExitCode::internal, fmt::format("a job in state {} was treated as ended", name_of(state)));
}

JobState job_state_of(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::completed:
      return JobState::completed;
    case AttemptEnd::failed:
      return JobState::failed;
    case AttemptEnd::cancelled:
      return JobState::cancelled;
    case AttemptEnd::timeout:
      return JobState::timeout;
    case AttemptEnd::out_of_memory:
      return JobState::out_of_memory;
    case AttemptEnd::node_failure:
      return JobState::node_failure;
    case AttemptEnd::boot_failure:
      return JobState::boot_failure;
    case AttemptEnd::preempted:
      return JobState::preempted;
    case AttemptEnd::lost:
      return JobState::lost;
    case AttemptEnd::withdrawn:
      break;
  }
  return JobState::unknown;
}

}  // namespace wansweep
