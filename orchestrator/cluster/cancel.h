// Cancels what Slurm has of a sweep.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

// What is live of one run, or of all (empty). Returns what was asked for: "5_3", or "5" for an array whole. Throws
// scheduler_unavailable when Slurm does not answer, bad_input with its words when it refuses.
std::vector<std::string> cancel_live(const std::string& sweep_directory, const std::string& run);

}  // namespace wansweep
