#include "slurm/job_state.h"

#include <algorithm>
#include <array>

namespace wansweep {
namespace {

struct SlurmWord {
  std::string_view word;
  JobState state;
};

constexpr std::array<SlurmWord, 29> slurm_words{{
    {"PENDING", JobState::queued},
    {"CONFIGURING", JobState::queued},
    {"REQUEUED", JobState::queued},
    {"REQUEUE_FED", JobState::queued},
    {"REQUEUE_HOLD", JobState::queued},
    {"RESV_DEL_HOLD", JobState::queued},
    {"SPECIAL_EXIT", JobState::queued},
    {"RUNNING", JobState::running},
    {"COMPLETING", JobState::running},
    {"SIGNALING", JobState::running},
    {"STAGE_OUT", JobState::running},
    {"SUSPENDED", JobState::running},
    {"STOPPED", JobState::running},
    {"RESIZING", JobState::running},
    {"POWER_UP_NODE", JobState::queued},
    {"UPDATE_DB", JobState::running},
    {"COMPLETED", JobState::completed},
    {"FAILED", JobState::failed},
    {"CANCELLED", JobState::cancelled},
    {"REVOKED", JobState::cancelled},
    {"TIMEOUT", JobState::timeout},
    {"DEADLINE", JobState::timeout},
    {"OUT_OF_MEMORY", JobState::out_of_memory},
    {"NODE_FAIL", JobState::node_failure},
    {"LAUNCH_FAILED", JobState::node_failure},
    {"RECONFIG_FAIL", JobState::node_failure},
    {"BOOT_FAIL", JobState::boot_failure},
    {"PREEMPTED", JobState::preempted},
    {"EXPEDITING", JobState::queued},
}};

}  // namespace

JobState job_state_named(std::string_view name) { return value_named<JobState>(name).value_or(JobState::unknown); }

std::string_view meaning_of(JobState state) {
  switch (state) {
    case JobState::queued:
      return "waits in Slurm's queue";
    case JobState::running:
      return "runs, or is ending";
    case JobState::completed:
      return "ended with exit code 0";
    case JobState::failed:
      return "ended with another exit code, or by a signal";
    case JobState::cancelled:
      return "cancelled by a user or an administrator; not retried automatically";
    case JobState::timeout:
      return "reached its time limit; needs more time";
    case JobState::out_of_memory:
      return "took more host memory than it asked for; needs more memory";
    case JobState::node_failure:
      return "its node failed; retried on another node";
    case JobState::boot_failure:
      return "its node did not start; retried on another node";
    case JobState::preempted:
      return "preempted by another job; retried";
    case JobState::lost:
      return "Slurm no longer knows the job, and it left no completion record";
    case JobState::unknown:
      return "the state is unknown";
  }
  return {};
}

bool is_terminal(JobState state) {
  switch (state) {
    case JobState::queued:
    case JobState::running:
    case JobState::unknown:
      return false;
    case JobState::completed:
    case JobState::failed:
    case JobState::cancelled:
    case JobState::timeout:
    case JobState::out_of_memory:
    case JobState::node_failure:
    case JobState::boot_failure:
    case JobState::preempted:
    case JobState::lost:
      return true;
  }
  return false;
}

JobState job_state_from(std::string_view slurm) {
  const std::string_view word = slurm.substr(0, slurm.find_first_of(" +"));
  const auto found =
      std::find_if(slurm_words.begin(), slurm_words.end(), [&](const SlurmWord& row) { return row.word == word; });
  return found != slurm_words.end() ? found->state : JobState::unknown;
}

}  // namespace wansweep
