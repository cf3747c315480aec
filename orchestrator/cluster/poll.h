// What became of a sweep's attempts in Slurm: asked with one squeue and at most one sacct, and written down beside
// them.
//
// Of an attempt: slurm.json (the last look), transitions.jsonl (a line for each change), and state.json once it has
// ended.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/cluster/judge.h"
#include "orchestrator/sweep/attempt.h"
#include "slurm/client.h"

namespace wansweep {

struct SlurmLook {
  std::map<std::string, Verdict> live;  // by attempt directory: those that have not ended
  std::vector<std::string> problems;    // what could not be learned, a line each
  int64_t age = 0;                      // seconds since Slurm was asked; 0: just now
  int calls = 0;
};

// Asks about every attempt of Slurm's without a state, unless the profile says that it is too early (`force`: all the
// same), and settles those that have ended. The caller holds the sweep's lock.
SlurmLook look_at_slurm(const std::string& sweep_directory, bool force = false);

// The last look as it was written down, without asking and without a lock.
SlurmLook last_look(const std::string& sweep_directory);

// Settles submissions whose fate is not known: found in squeue, sacct or among the started files, they are adopted;
// when Slurm answers and does not know them, they are withdrawn, so that a job which appears all the same runs nothing.
// Waits for as long as the profile says that Slurm may take to show a job. Throws Error(store_busy) when Slurm does not
// answer. Returns a line for each.
std::vector<std::string> settle_submissions(const std::string& sweep_directory);

// Cancels what is live (of one run, or of all: empty). Returns what was asked for, "5_3". Throws Error when Slurm
// refuses.
std::vector<std::string> cancel_live(const std::string& sweep_directory, const std::string& run);

}  // namespace wansweep
