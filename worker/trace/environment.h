// What the trace's /environment says of where a rank ran.
#pragma once

#include <string>

#include "worker/device/device.h"

namespace wansweep {

// A JSON object: host, operating system, cpu, cores it may use, the device's own description, library versions, git
// revision, and Slurm's ids and module list where they are set.
std::string describe_environment(const Device& device, int rank, int ranks);

}  // namespace wansweep
