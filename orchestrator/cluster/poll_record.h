// Reads and writes slurm.json and transitions.jsonl of an attempt.
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

// Reads slurm.json. A record that is missing or cannot be read counts as none: Slurm is then asked as for the first
// time.
LastVerdict read_last_verdict(const std::string& attempt);

// Writes the poll, and a transition if the state changed. Throws Error(output), also when transitions.jsonl is a link
// or not a regular file.
void write_verdict(const std::string& attempt, const LastVerdict& before, const Verdict& verdict, int64_t now);

}  // namespace wansweep
