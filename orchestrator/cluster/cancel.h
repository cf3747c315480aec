// Cancels a sweep's jobs in Slurm.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

// Cancels the live jobs of one run, or of all runs (empty). Returns the cancelled job ids: "5_3", or "5" for a whole
// array. Throws scheduler_unavailable when Slurm does not answer, bad_input with Slurm's message when it refuses.
std::vector<std::string> cancel_live(const std::string& sweep_directory, const std::string& run);

}  // namespace wansweep
