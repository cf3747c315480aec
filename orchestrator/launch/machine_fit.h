// Checks, before a sweep starts, whether this machine can hold its ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestrator/plan/plan.h"

namespace wansweep {

struct MachineSize {
  int cores = 1;
  int64_t memory = 0;  // bytes; 0: unknown
};

// Cores that this process may use, and the memory that the machine has or WANSWEEP_HOST_MEMORY grants (bad_input where
// that is no number above 0).
MachineSize this_machine();

// With more ranks on a core than this, the machine mostly switches between them.
inline constexpr int most_ranks_a_core = 16;
// The memory of an MPI process beside the run's data. A rank of the tiny model, with about 10 MB of data, took 28 MB (2
// ranks, Open MPI 4.1, x86-64).
inline constexpr int64_t bytes_of_a_rank = int64_t{16} << 20;

// Throws bad_input naming the setting when the ranks of a configuration need more memory than the machine has. Returns
// a warning when a configuration has far more ranks than cores; nullopt when all fit.
std::optional<std::string> check_machine_fits(const Plan& plan, const MachineSize& machine);

}  // namespace wansweep
