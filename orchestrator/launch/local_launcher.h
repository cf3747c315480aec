// Runs a sweep on this machine through mpirun, some attempts at a time.
#pragma once

#include <set>
#include <string>

#include "orchestrator/plan/plan.h"

namespace wansweep {

inline constexpr int max_jobs = 1024;  // runs at a time

struct LaunchOptions {
  std::string directory;  // of the sweep
  int jobs = 1;           // attempts at a time
  std::string worker;     // path of wansweep-worker
  std::string mpirun = "mpirun";
  std::set<std::string> only;  // names of the runs to launch; empty: all
};

struct LaunchSummary {
  size_t total = 0;
  size_t done_before = 0;
  size_t completed = 0;
  size_t failed = 0;
  bool interrupted = false;
};

inline constexpr int interrupted_exit = 130;  // what shells give for Ctrl-C

// The worker that was built with this wansweep.
std::string worker_beside_this_program();

// Runs what is not done yet, and reports on standard output. The caller holds the sweep's lock. SIGINT and SIGTERM stop
// it cleanly: what runs is asked to end, and is cancelled. Throws Error when nothing more can be launched (a full
// disk).
LaunchSummary launch_locally(const Sweep& sweep, const Plan& plan, const LaunchOptions& options);

}  // namespace wansweep
