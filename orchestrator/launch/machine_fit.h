// Whether this machine can hold the ranks of a sweep, before any of them starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestrator/plan/plan.h"

namespace wansweep {

struct MachineSize {
  int cores = 1;
  int64_t memory = 0;  // bytes; 0: not known
};

// Cores that this process may use, and the memory that the machine has or WANSWEEP_HOST_MEMORY grants (bad_input where
// that is no number above 0).
MachineSize this_machine();

// Ranks that share a core take turns; beyond this many the machine does little but switch between them.
inline constexpr int most_ranks_a_core = 16;
// What an MPI process takes of its own beside the run's data. A rank of the tiny model, whose data are some 10 MB, had
// 28 MB (2 ranks, Open MPI 4.1, x86-64).
inline constexpr int64_t bytes_of_a_rank = int64_t{16} << 20;

// Throws bad_input naming the setting when the ranks of a configuration need more memory than there is. A line for
// people when one has so many ranks that they hardly run; nullopt: all fit.
std::optional<std::string> check_machine_fits(const Plan& plan, const MachineSize& machine);

}  // namespace wansweep
