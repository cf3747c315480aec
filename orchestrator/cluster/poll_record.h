// slurm.json and transitions.jsonl of an attempt.
#pragma once

#include <cstdint>
#include <string>

#include "orchestrator/cluster/judge.h"

namespace wansweep {

struct LastVerdict {
  JobState state = JobState::unknown;
  std::string line;
  int64_t polled_at = 0;  // seconds of the epoch; 0: never
  PollMemory memory;
};

// A record that is not there, or cannot be read, only costs a question: Slurm is then asked as if for the first time.
LastVerdict read_last_verdict(const std::string& attempt);

// Writes the poll, and a transition when it changed the state. Throws Error(output), also for a transitions.jsonl that
// is a link or no file.
void write_verdict(const std::string& attempt, const LastVerdict& before, const Verdict& verdict, int64_t now);

}  // namespace wansweep
