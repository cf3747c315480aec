// slurm.json and transitions.jsonl of an attempt.
#pragma once

#include <string>

#include "orchestrator/cluster/judge.h"

namespace wansweep {

struct LastVerdict {
  JobState state = JobState::unknown;
  std::string line;
  int64_t looked_at = 0;  // seconds of the epoch; 0: never
  LookMemory memory;
};

LastVerdict read_last_verdict(const std::string& attempt);

// Writes the look, and a transition when it changed the state.
void write_verdict(const std::string& attempt, const LastVerdict& before, const Verdict& verdict, int64_t now);

}  // namespace wansweep
