// Finds the runs of a sweep whose newest attempt failed, for a retry on this machine or in Slurm.
#pragma once

#include <map>
#include <string>

#include "orchestrator/plan/plan.h"
#include "orchestrator/sweep/attempt_folder.h"

namespace wansweep {

struct FailedRuns {
  Sweep sweep;                              // only the name is set
  Plan plan;                                // the configurations with failed runs, as they were planned
  std::map<std::string, Attempt> attempts;  // the newest attempt of each failed run, by run
};

// Finds runs that failed, timed out, ran out of memory or are damaged. Leaves out runs that were cancelled or never
// started (`run` continues with those), superseded runs, and runs with an attempt that cannot be read
// (attempt_folder.h). `launcher`: only runs whose newest attempt it launched.
FailedRuns find_failed_runs(const std::string& directory, Launcher launcher);

// Why the attempt failed, in one line.
std::string failure_of(const Attempt& attempt);

// A table with one row for each run: why it failed, and what may help.
std::string failed_runs_as_text(const FailedRuns& failed);

}  // namespace wansweep
