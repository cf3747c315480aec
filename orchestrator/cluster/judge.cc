// Slurm's last word and the worker's record together decide an end (orchestrator/sweep/attempt_outcome.h has the rule);
// here is what comes before it: whether Slurm's word is its last. A job that made way or lost its node may come back to
// the queue; the record may reach this node's view of the file system late; a job that Slurm does not know now may
// be one that it does not know yet. And what cannot be read decides nothing.

#include "orchestrator/cluster/judge.h"

#include <fmt/format.h>

#include "orchestrator/cluster/job_end.h"

namespace wansweep {
namespace {

constexpr int polls_until_lost = 3;

// What Slurm says of a job that ended.
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

// Where the site requeues, such a job comes back to the queue within a moment.
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

// Slurm says that it ended.
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
      return undecided(JobState::running, "has ended; its record is awaited", std::move(memory));
    }
    const std::string line = fmt::format("exit code 0, but no whole completion record: {}", evidence.record.line);
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

// Slurm was asked and does not know it.
Verdict judge_absent(const Evidence& evidence, PollMemory memory) {
  if (memory.absent_since == 0) memory.absent_since = evidence.now;
  ++memory.absent_polls;
  const std::optional<AttemptEnd> end = outcome_of(
      {LauncherWord::none, evidence.worker_failed ? AttemptEnd::failed : AttemptEnd::lost}, evidence.record.word);
  if (!end) {
    return undecided(
        JobState::unknown,
        fmt::format("Slurm does not know it; its completion record cannot be read: {}", evidence.record.line),
        std::move(memory));
  }
  if (*end == AttemptEnd::completed) {
    return {JobState::completed, true, "Slurm has forgotten the job; the worker's record stands", std::move(memory)};
  }
  if (*end == AttemptEnd::failed) return {JobState::failed, true, "", std::move(memory)};
  if (memory.absent_polls >= polls_until_lost && evidence.now - memory.absent_since >= evidence.lost_seconds) {
    return {JobState::lost, true, "", std::move(memory)};
  }
  // Made first: arguments may be evaluated in any order.
  std::string line = fmt::format("Slurm does not know it (poll {})", memory.absent_polls);
  return undecided(JobState::unknown, std::move(line), std::move(memory));
}

// Waits, runs, or is something that only a newer Slurm says.
Verdict judge_live(PollMemory memory) {
  memory.ended_since = 0;
  const JobRow& row = memory.row;
  std::string line = row.reason;
  if (row.state == JobState::unknown) line = fmt::format("Slurm says {}, which wansweep does not know", row.word);
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
  if (memory.ended_since != 0) return judge_ended(evidence, std::move(memory));  // forgotten since, but told before
  if (evidence.slurm_knows_all) return judge_absent(evidence, std::move(memory));
  return undecided(JobState::unknown, "what Slurm says of it could not be learned", std::move(memory));
}

}  // namespace wansweep
