// Slurm's final state and the worker's record together decide an end (orchestrator/sweep/attempt_outcome.h has the
// rule). This file decides whether Slurm's state is final. A job that was preempted or lost its node may return to the
// queue; the record may appear late on this host's view of the file system; a job that Slurm does not know may not have
// appeared yet. A record that cannot be read decides nothing.

#include "orchestrator/cluster/judge.h"

#include <fmt/format.h>

#include "orchestrator/cluster/job_end.h"

namespace wansweep {
namespace {

constexpr int polls_until_lost = 3;

// Slurm's state and exit code of a job that has ended.
LauncherWitness witness_of(const JobRow& row) {
  switch (row.state) {
    case JobState::completed:
      return {LauncherWord::exit_zero, AttemptEnd::failed};
    case JobState::failed:
      return {row.signal ? LauncherWord::struck : LauncherWord::exit_other, AttemptEnd::failed};
    case JobState::cancelled:
    case JobState::timeout:
    case JobState::out_of_memory:
    case JobState::node_failure:
    case JobState::boot_failure:
    case JobState::preempted:
      return {LauncherWord::struck, end_of(row.state)};
    case JobState::lost:
    case JobState::queued:
    case JobState::running:
    case JobState::unknown:
      break;
  }
  return {LauncherWord::none, AttemptEnd::lost};
}

// Where the site requeues jobs, such a job returns to the queue within a moment.
bool may_come_back(JobState state) {
  switch (state) {
    case JobState::preempted:
    case JobState::node_failure:
    case JobState::boot_failure:
      return true;
    case JobState::queued:
    case JobState::running:
    case JobState::completed:
    case JobState::failed:
    case JobState::cancelled:
    case JobState::timeout:
    case JobState::out_of_memory:
    case JobState::lost:
    case JobState::unknown:
      return false;
  }
  return false;
}

Verdict undecided(JobState state, std::string line, PollMemory memory) {
  return {state, false, std::move(line), std::move(memory)};
}

// Slurm says that the job has ended.
Verdict judge_ended(const Evidence& evidence, PollMemory memory) {
  const JobRow& row = memory.row;
  const bool settled = evidence.now - memory.ended_since >= evidence.lost_seconds;
  const std::optional<AttemptEnd> end = outcome_of(witness_of(row), evidence.record.word);
  if (!end) {
    const std::string line =
        fmt::format("Slurm says {}; the completion record cannot be read: {}", row.word, evidence.record.line);
    return undecided(JobState::unknown, line, std::move(memory));
  }
  if (*end == AttemptEnd::failed && row.state == JobState::completed) {
    if (!settled && !evidence.worker_failed) {
      return undecided(JobState::running, "the job has ended; waiting for the worker's record", std::move(memory));
    }
    const std::string line =
        fmt::format("exit code 0, but the completion record is missing or wrong: {}", evidence.record.line);
    return {JobState::failed, true, line, std::move(memory)};
  }
  if (*end != AttemptEnd::completed && may_come_back(row.state) && !settled) {
    return undecided(row.state, "", std::move(memory));
  }
  Verdict verdict{job_state_of(*end), true, "", {}};
  if (*end == AttemptEnd::completed && row.state != JobState::completed) {
    verdict.line = fmt::format("Slurm says {}, after the worker had finished", row.word);
  }
  verdict.memory = std::move(memory);
  return verdict;
}

// Slurm has answered, and does not know the job.
Verdict judge_absent(const Evidence& evidence, PollMemory memory) {
  if (memory.absent_since == 0) memory.absent_since = evidence.now;
  ++memory.absent_polls;
  const std::optional<AttemptEnd> end = outcome_of(
      {LauncherWord::none, evidence.worker_failed ? AttemptEnd::failed : AttemptEnd::lost}, evidence.record.word);
  if (!end) {
    return undecided(
        JobState::unknown,
        fmt::format("Slurm does not know the job, and its completion record cannot be read: {}", evidence.record.line),
        std::move(memory));
  }
  if (*end == AttemptEnd::completed) {
    return {JobState::completed, true, "Slurm has forgotten the job; the worker's record counts", std::move(memory)};
  }
  if (*end == AttemptEnd::failed) return {JobState::failed, true, "", std::move(memory)};
  if (memory.absent_polls >= polls_until_lost && evidence.now - memory.absent_since >= evidence.lost_seconds) {
    return {JobState::lost, true, "", std::move(memory)};
  }
  // Made before the call, since arguments may be evaluated in any order.
  std::string line = fmt::format("Slurm does not know the job (poll {})", memory.absent_polls);
  return undecided(JobState::unknown, std::move(line), std::move(memory));
}

// The job waits, runs, or has a state that this wansweep does not know.
Verdict judge_live(PollMemory memory) {
  memory.ended_since = 0;
  const JobRow& row = memory.row;
  std::string line = row.reason;
  if (row.state == JobState::unknown)
    line = fmt::format("Slurm says {}, a state that wansweep does not know", row.word);
  if (!memory.requeued_after.empty()) {
    line = fmt::format("requeued after {}{}{}", memory.requeued_after, line.empty() ? "" : ": ", line);
  }
  return undecided(row.state, line, std::move(memory));
}

}  // namespace

Verdict judge(const Evidence& evidence, PollMemory memory) {
  if (evidence.row) {
    const bool lives = !is_terminal(evidence.row->state);
    if (lives && memory.ended_since != 0) memory.requeued_after = memory.row.word;
    memory.row = *evidence.row;
    memory.absent_since = 0;
    memory.absent_polls = 0;
    if (lives) return judge_live(std::move(memory));
    if (memory.ended_since == 0) memory.ended_since = evidence.now;
    return judge_ended(evidence, std::move(memory));
  }
  if (memory.ended_since != 0)
    return judge_ended(evidence, std::move(memory));  // Slurm told the end before it forgot the job
  if (evidence.slurm_knows_all) return judge_absent(evidence, std::move(memory));
  return undecided(JobState::unknown, "Slurm did not answer about this job", std::move(memory));
}

}  // namespace wansweep
