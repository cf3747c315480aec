// What one poll of Slurm and the attempt's own files say of an attempt. A function of its evidence alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestrator/sweep/attempt_outcome.h"
#include "slurm/job_rows.h"

namespace wansweep {

// What earlier polls found: slurm.json in the attempt's directory.
struct PollMemory {
  JobRow row;                // as Slurm told it last; its state may be `unknown` when it never did
  int64_t absent_since = 0;  // seconds of the epoch; 0: Slurm knew it at the last poll
  int absent_polls = 0;
  int64_t ended_since = 0;     // since when Slurm says that it ended; 0: it does not
  std::string requeued_after;  // Slurm's word for an end after which it came back to the queue; empty: it never did
};

struct Evidence {
  std::optional<JobRow> row;  // squeue's, or else sacct's
  // Slurm was asked, and everything it said could be read: no row means that it does not know the job.
  bool slurm_knows_all = false;
  RecordWitness record;        // of completed.json and the traces
  bool worker_failed = false;  // failure.json is there
  int64_t now = 0;
  int64_t lost_seconds = 0;
};

struct Verdict {
  JobState state = JobState::unknown;
  bool final = false;  // false: ask again
  std::string line;    // what there is to say beside the state
  PollMemory memory;
};

Verdict judge(const Evidence& evidence, PollMemory memory);

}  // namespace wansweep
