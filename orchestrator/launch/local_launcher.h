// Runs a sweep on this machine through mpirun, some attempts at a time.
#pragma once

#include <set>
#include <string>

#include "orchestrator/engines/engine.h"
#include "orchestrator/engines/worker_command.h"
#include "orchestrator/plan/plan.h"

namespace wansweep {

inline constexpr int max_jobs = 1024;  // runs at a time

struct LaunchOptions {
  std::string directory;  // of the sweep
  int jobs = 1;           // attempts at a time
  WorkerPrograms programs;
  EnginePlaces engines = default_engine_places();
  std::set<std::string> only;  // names of the runs to launch; empty: all
  bool quiet = false;          // says only what fails
  bool again = false;          // also runs that completed, and whose completion record is damaged
};

struct LaunchSummary {
  size_t total = 0;
  size_t done_before = 0;
  size_t completed = 0;
  size_t failed = 0;
  size_t left_alone = 0;  // what became of an earlier attempt is not known, or its record is damaged: said, not started
  bool interrupted = false;
};

inline constexpr int interrupted_exit = 130;  // what shells give for Ctrl-C

// The worker that was built with this wansweep.
std::string worker_beside_this_program();

// Runs what is not done yet, and reports on standard output. The caller holds the sweep's lock. A run with an attempt
// that cannot be read is not started (attempt_folder.h), nor one that completed and whose completion record is missing
// or cannot be read. SIGINT and SIGTERM stop it cleanly: what runs is asked to end, and is cancelled. Throws bad_input
// when the programs cannot be used, and Error when nothing more can be launched or written down (a full disk): what
// runs is asked to end first.
LaunchSummary launch_locally(const Sweep& sweep, const Plan& plan, const LaunchOptions& options);

}  // namespace wansweep
