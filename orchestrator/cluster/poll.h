// Polls Slurm about a sweep's attempts, with one squeue and at most one sacct for each cluster, and records the
// answers.
//
// Files in an attempt's directory: slurm.json (the last poll), transitions.jsonl (a line for each change of the state),
// and state.json once the attempt has ended.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/cluster/judge.h"

namespace wansweep {

struct SlurmPoll {
  std::map<std::string, Verdict> live;  // by attempt directory: attempts that have not ended
  std::set<std::string> generated;      // directories of attempts whose script nobody has submitted, as far as is known
  std::vector<std::string> problems;    // one raw line for each answer that is missing or cannot be read
  bool complete = true;                 // Slurm answered, and all of its answer could be read
  int64_t age = 0;                      // seconds since Slurm was asked
  int calls = 0;
};

// Asks Slurm about every attempt without an end, unless the last poll is younger than the profile's poll_seconds
// (`force`: in any case), and records the attempts that have ended. Attempts that Slurm does not answer about stay as
// they were. The caller holds the sweep's lock.
SlurmPoll poll_slurm(const std::string& sweep_directory, bool force = false);

// Reads the last poll from its records, without asking Slurm and without a lock.
SlurmPoll last_poll(const std::string& sweep_directory);

}  // namespace wansweep
