#include "worker/comm/launcher.h"

#include <cstdlib>

#include <fmt/format.h>

namespace wansweep {

std::optional<std::string> ranks_out_of_sight(int ranks, const std::function<const char*(const char*)>& variable) {
  // The launcher next to the process comes first: under mpirun the variables of Slurm are about mpirun's own daemons.
  // SLURM_NTASKS is no witness: it is the allocation's, in which a run may use fewer.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const char* text = variable(name);
    if (text == nullptr) continue;
    const long started = std::strtol(text, nullptr, 10);
    if (started <= ranks) return std::nullopt;
    return fmt::format(
        "{} is {}, but MPI sees {} of these processes; start them with the mpirun of the MPI that "
        "wansweep-worker was built with, or with the srun --mpi that it supports",
        name, text, ranks);
  }
  // Where no variable says how many there are, one that gives this process a place behind others says enough.
  for (const char* name : {"PMIX_RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK"}) {
    const char* text = variable(name);
    if (text == nullptr || ranks > 1 || std::strtol(text, nullptr, 10) <= 0) continue;
    return fmt::format(
        "{} is {}, but MPI sees this process alone; start it with the mpirun of the MPI that wansweep-worker was built "
        "with, or with the srun --mpi that it supports",
        name, text);
  }
  return std::nullopt;
}

}  // namespace wansweep
