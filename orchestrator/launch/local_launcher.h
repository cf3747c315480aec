// Runs a sweep on this machine with mpirun, a given number of attempts at a time.
#pragma once

#include <set>
#include <string>

#include "orchestrator/engines/engine.h"
#include "orchestrator/engines/worker_command.h"
#include "orchestrator/plan/plan.h"

namespace wansweep {

inline constexpr int max_jobs = 1024;  // the most runs at a time

struct LaunchOptions {
  std::string directory;  // the sweep's directory
  int jobs = 1;           // number of attempts at a time
  WorkerPrograms programs;
  EnginePlaces engines = default_engine_places();
  std::set<std::string> only;  // names of the runs to launch; empty: all
  bool quiet = false;          // says only what fails
  bool again = false;          // also repeat completed runs whose record, traces or result are damaged
};

struct LaunchSummary {
  size_t total = 0;
  size_t done_before = 0;
  size_t completed = 0;
  size_t failed = 0;
  size_t left_alone = 0;  // runs that were reported but not started: an earlier attempt is unknown or damaged
  bool interrupted = false;
};

inline constexpr int interrupted_exit = 130;  // the exit code of shells for Ctrl-C

// The path of the worker that was built with this wansweep.
std::string worker_beside_this_program();

// Runs all runs that are not finished, and reports on standard output. The caller holds the sweep's lock. Does not
// start a run with an attempt that cannot be read (attempt_folder.h), or a completed one whose record is damaged.
// SIGINT and SIGTERM stop it cleanly: running attempts are asked to end, and count as cancelled. Throws bad_input when
// a program cannot be used, and Error when no run can be launched or recorded any more (a full disk), after running
// attempts have been asked to end.
LaunchSummary launch_locally(const Sweep& sweep, const Plan& plan, const LaunchOptions& options);

}  // namespace wansweep
