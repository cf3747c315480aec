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

struct Meaning {
  JobState state;
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array<Meaning, 12> meanings{{
    {JobState::queued, "queued", "waits in Slurm's queue"},
    {JobState::running, "running", "runs, or is ending"},
    {JobState::completed, "completed", "ended with exit code 0"},
    {JobState::failed, "failed", "ended with another exit code, or by a signal"},
    {JobState::cancelled, "cancelled", "cancelled by a user or an administrator; never tried again by itself"},
    {JobState::timeout, "timeout", "reached its time limit; needs more time"},
    {JobState::out_of_memory, "out_of_memory", "took more host memory than it asked for; needs more memory"},
    {JobState::node_failure, "node_failure", "its node failed; goes again on another node"},
    {JobState::boot_failure, "boot_failure", "its node did not start; goes again on another node"},
    {JobState::preempted, "preempted", "made way for another job; goes again"},
    {JobState::lost, "lost", "Slurm no longer knows it, and it left no completion record"},
    {JobState::unknown, "unknown", "Slurm says a word that wansweep does not know"},
}};

const Meaning& row_of(JobState state) {
  return *std::find_if(meanings.begin(), meanings.end(), [&](const Meaning& row) { return row.state == state; });
}

}  // namespace

std::string_view name_of(JobState state) { return row_of(state).name; }

JobState job_state_named(std::string_view name) {
  const auto found =
      std::find_if(meanings.begin(), meanings.end(), [&](const Meaning& row) { return row.name == name; });
  return found != meanings.end() ? found->state : JobState::unknown;
}

std::string_view meaning_of(JobState state) { return row_of(state).meaning; }

bool is_terminal(JobState state) {
  return state != JobState::queued && state != JobState::running && state != JobState::unknown;
}

JobState job_state_from(std::string_view slurm) {
  const std::string_view word = slurm.substr(0, slurm.find_first_of(" +"));
  const auto found =
      std::find_if(slurm_words.begin(), slurm_words.end(), [&](const SlurmWord& row) { return row.word == word; });
  return found != slurm_words.end() ? found->state : JobState::unknown;
}

}  // namespace wansweep
