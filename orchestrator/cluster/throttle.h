// --max-running: the most runs of a sweep that Slurm runs at a time, over all its arrays.
//
// Slurm can limit one array (ArrayTaskThrottle) and make one array wait for another (afterany). So arrays that may run
// at the same time divide the limit among them; when there are more arrays than the limit, some wait for others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/cluster/submit.h"

namespace wansweep {

// The arrays of the sweep that Slurm has already, by the last poll.
struct LiveArrays {
  int running = 0;            // the most of their members that run at a time
  std::vector<int64_t> jobs;  // job ids
};

LiveArrays find_live_arrays(const std::string& sweep_directory);

// Sets `running`, `after` and `after_jobs` so that, together with the live arrays, at most `max_running` (0: no limit)
// runs run at a time.
void throttle_arrays(std::vector<PlannedArray>& arrays, int max_running, const LiveArrays& live);

}  // namespace wansweep
