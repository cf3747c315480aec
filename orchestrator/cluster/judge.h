// What one look at Slurm and at the attempt's files says of an attempt. A function of its evidence alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "slurm/client.h"

namespace wansweep {

// What earlier looks found: slurm.json in the attempt's directory.
struct LookMemory {
  JobRow row;                // as Slurm told it last; its state may be `unknown` when it never did
  int64_t absent_since = 0;  // seconds of the epoch; 0: Slurm knew it at the last look
  int absent_looks = 0;
  int64_t ended_since = 0;  // since when Slurm says that it ended; 0: it does not
};

struct Evidence {
  std::optional<JobRow> row;  // squeue's, or else sacct's
  bool asked_all = false;  // squeue and, where there is accounting, sacct answered: no row means that it is not known
  bool record_whole = false;   // completed.json, borne out by the traces
  bool worker_failed = false;  // failure.json is there
  int64_t now = 0;
  int64_t lost_seconds = 0;
};

struct Verdict {
  JobState state = JobState::unknown;
  bool final = false;  // false: look again
  std::string line;    // what there is to say beside the state
  LookMemory memory;
};

Verdict judge(const Evidence& evidence, LookMemory memory);

}  // namespace wansweep
