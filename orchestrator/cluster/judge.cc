#include "orchestrator/cluster/judge.h"

#include <fmt/format.h>

namespace wansweep {
namespace {

constexpr int looks_until_lost = 3;

// Slurm says that it ended.
Verdict judge_ended(const Evidence& evidence, LookMemory memory) {
  Verdict verdict;
  verdict.state = memory.row.state;
  const bool settled = evidence.now - memory.ended_since >= evidence.lost_seconds;
  switch (memory.row.state) {
    case JobState::completed:
      if (!evidence.record_whole) {
        // A file system shared by nodes may show the record late.
        verdict.final = settled || evidence.worker_failed;
        verdict.state = verdict.final ? JobState::failed : JobState::running;
        verdict.line =
            verdict.final ? "exit code 0, but no whole completion record" : "has ended; its record is awaited";
        verdict.memory = std::move(memory);
        return verdict;
      }
      verdict.final = true;
      break;
    case JobState::failed:
      verdict.final = true;
      break;
    case JobState::preempted:
    case JobState::node_failure:
    case JobState::boot_failure:
      // Where the site requeues, the job comes back to the queue within a moment.
      verdict.final = settled;
      break;
    default:
      verdict.final = true;
  }
  // The worker writes its record last: what struck the job after that took nothing away.
  if (evidence.record_whole && memory.row.state != JobState::completed && memory.row.state != JobState::failed) {
    verdict.line = fmt::format("Slurm says {}, after the worker had finished", memory.row.word);
    verdict.state = JobState::completed;
    verdict.final = true;
  }
  verdict.memory = std::move(memory);
  return verdict;
}

// Slurm was asked and does not know it.
Verdict judge_absent(const Evidence& evidence, LookMemory memory) {
  Verdict verdict;
  if (memory.absent_since == 0) memory.absent_since = evidence.now;
  ++memory.absent_looks;
  if (evidence.record_whole || evidence.worker_failed) {
    verdict.state = evidence.record_whole ? JobState::completed : JobState::failed;
    verdict.final = true;
    verdict.line = evidence.record_whole ? "Slurm has forgotten the job; the worker's record stands" : "";
  } else if (memory.absent_looks >= looks_until_lost && evidence.now - memory.absent_since >= evidence.lost_seconds) {
    verdict.state = JobState::lost;
    verdict.final = true;
  } else {
    verdict.state = JobState::unknown;
    verdict.line = fmt::format("Slurm does not know it (look {})", memory.absent_looks);
  }
  verdict.memory = std::move(memory);
  return verdict;
}

}  // namespace

Verdict judge(const Evidence& evidence, LookMemory memory) {
  if (evidence.row) {
    memory.row = *evidence.row;
    memory.absent_since = 0;
    memory.absent_looks = 0;
    if (!is_terminal(memory.row.state)) {
      memory.ended_since = 0;
      return {memory.row.state, false, memory.row.reason, std::move(memory)};
    }
    if (memory.ended_since == 0) memory.ended_since = evidence.now;
    return judge_ended(evidence, std::move(memory));
  }
  if (memory.ended_since != 0) return judge_ended(evidence, std::move(memory));  // forgotten since, but told before
  if (evidence.asked_all) return judge_absent(evidence, std::move(memory));
  return {JobState::unknown, false, "Slurm could not be asked about it", std::move(memory)};
}

}  // namespace wansweep
