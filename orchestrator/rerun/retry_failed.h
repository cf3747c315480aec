// The runs of a sweep whose newest attempt failed, ready to be tried again where that ran.
#pragma once

#include <map>
#include <string>

#include "orchestrator/plan/plan.h"
#include "orchestrator/sweep/attempt_folder.h"

namespace wansweep {

struct FailedRuns {
  Sweep sweep;                              // its name only
  Plan plan;                                // the configurations that have failed runs, as they were planned
  std::map<std::string, Attempt> attempts;  // the newest of each, by run
};

// Failed, timed out, out of memory, damaged; not what was cancelled or never started: `run` goes on with those. Runs
// that another supersedes stay failed, and those with an attempt that cannot be read (attempt_folder.h) as they are.
// `launcher`: only what it launched last.
FailedRuns find_failed_runs(const std::string& directory, Launcher launcher);

// Why the attempt failed, in a line.
std::string failure_of(const Attempt& attempt);

// A row a run: why it failed, and what may help.
std::string failed_runs_as_text(const FailedRuns& failed);

}  // namespace wansweep
