// Judges the state of an attempt from one poll of Slurm and the attempt's own files. A pure function of its evidence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestrator/sweep/attempt_outcome.h"
#include "slurm/job_rows.h"

namespace wansweep {

// The result of earlier polls, kept as slurm.json in the attempt's directory.
struct PollMemory {
  JobRow row;                // Slurm's last row about the job; state `unknown` when there never was one
  int64_t absent_since = 0;  // seconds of the epoch; 0: Slurm knew the job at the last poll
  int absent_polls = 0;
  int64_t ended_since = 0;     // time of the first poll that gave a final state; 0: none did
  std::string requeued_after;  // Slurm's word for the end after which the job was requeued; empty: it never was
};

struct Evidence {
  std::optional<JobRow> row;  // squeue's, or else sacct's
  // Slurm has answered in full and every line was read: no row means that Slurm does not know the job.
  bool slurm_knows_all = false;
  RecordWitness record;        // of completed.json and the traces
  bool worker_failed = false;  // failure.json exists
  int64_t now = 0;
  int64_t lost_seconds = 0;
};

struct Verdict {
  JobState state = JobState::unknown;
  bool final = false;  // false: ask again later
  std::string line;    // a remark on the state, for people
  PollMemory memory;
};

Verdict judge(const Evidence& evidence, PollMemory memory);

}  // namespace wansweep
