// The runs of a sweep whose newest attempt failed, ready to be tried again as they are.
#pragma once

#include <set>
#include <string>

#include "orchestrator/plan.h"

namespace wansweep {

struct FailedRuns {
  Sweep sweep;  // its name only
  Plan plan;    // the configurations that have failed runs, as they were planned
  std::set<std::string> runs;
  std::string text;  // for people: a row a run, why it failed, and what may help
};

// Failed, timed out, out of memory, damaged; not what was cancelled or never started: `run` goes on with those. Runs
// that another supersedes stay failed. Throws bad_input when an attempt was launched by anything but `wansweep run`.
FailedRuns find_failed_runs(const std::string& directory);

}  // namespace wansweep
