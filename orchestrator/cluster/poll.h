// What became of a sweep's attempts in Slurm: asked with one squeue and at most one sacct a cluster, and written down
// beside them.
//
// Of an attempt: slurm.json (the last poll), transitions.jsonl (a line for each change), and state.json once it has
// ended.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/cluster/judge.h"

namespace wansweep {

struct SlurmPoll {
  std::map<std::string, Verdict> live;  // by attempt directory: those that have not ended
  std::vector<std::string> problems;    // what could not be learned, a line each, as it was said
  bool complete = true;                 // Slurm answered, and all that it said could be read
  int64_t age = 0;                      // seconds since Slurm was asked; 0: just now
  int calls = 0;
};

// Asks about every attempt of Slurm's without a state, unless the profile says that it is too early (`force`: all the
// same), and settles those that have ended. What cannot be learned stays as it was. The caller holds the sweep's lock.
SlurmPoll poll_slurm(const std::string& sweep_directory, bool force = false);

// The last poll as it was written down, without asking and without a lock.
SlurmPoll last_poll(const std::string& sweep_directory);

}  // namespace wansweep
