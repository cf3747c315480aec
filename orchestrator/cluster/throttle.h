// --max-running: how many of a sweep's runs Slurm may run at a time, over all of its arrays.
//
// Slurm bounds one array (ArrayTaskThrottle), and lets one wait for another (afterany). So arrays that may run side by
// side share the bound out; where there are more arrays than that, they queue up behind each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/cluster/submit.h"

namespace wansweep {

// Arrays of the sweep that Slurm has already, as far as it was last looked at.
struct LiveArrays {
  int running = 0;            // of their members at a time, at most
  std::vector<int64_t> jobs;  // ids
};

LiveArrays find_live_arrays(const std::string& sweep_directory);

// Sets `running`, `after` and `after_jobs` so that, with what is live, no more than `max_running` (0: no bound) run.
void throttle_arrays(std::vector<PlannedArray>& arrays, int max_running, const LiveArrays& live);

}  // namespace wansweep
