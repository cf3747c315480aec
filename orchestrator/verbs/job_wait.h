// Waiting for jobs that were just submitted.
#pragma once

#include <map>
#include <string>

#include "orchestrator/sweep/attempt.h"

namespace wansweep {

// Until every attempt of the sweep in `directory` has ended; says on standard output what changes. The attempts, by
// run. The caller holds the sweep's lock. Throws as poll_slurm (cluster/poll.h) does, and Error(output) when there is
// none.
std::map<std::string, Attempt> wait_for_jobs(const std::string& directory);

}  // namespace wansweep
