// The trace's /environment: the machine and software that a rank ran on.
#pragma once

#include <string>

#include "worker/device/device.h"

namespace wansweep {

// A JSON object: host, operating system, CPU, number of cores that the rank may use, the device's description, library
// versions, git revision, and Slurm's ids and module list if they are set.
std::string describe_environment(const Device& device, int rank, int ranks);

}  // namespace wansweep
