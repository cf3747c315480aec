#include "worker/comm/launcher.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace wansweep {
namespace {

// Whether the parent's standard output is a terminal, and another one than this process's. false where that cannot be
// found out.
bool parent_has_a_terminal() {
  const std::string parents = fmt::format("/proc/{}/fd/1", getppid());
  struct stat own {};
  struct stat other {};
  if (fstat(STDOUT_FILENO, &own) != 0 || stat(parents.c_str(), &other) != 0) return false;
  if (!S_ISCHR(other.st_mode) || own.st_rdev == other.st_rdev) return false;
  const int file = open(parents.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return false;
  const bool terminal = isatty(file) == 1;
  close(file);
  return terminal;
}

}  // namespace

std::optional<std::string> ranks_out_of_sight(int ranks, const std::function<const char*(const char*)>& variable) {
  // The launcher nearest to the process comes first: under mpirun, Slurm's variables describe mpirun's own daemons.
  // SLURM_NTASKS does not count: it describes the allocation, of which a run may use a part.
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
  // When no variable tells the number of processes, a rank above 0 shows that there are others.
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

bool output_reaches_a_terminal(const std::function<const char*(const char*)>& variable) {
  const char* kind = variable("TERM");
  if (isatty(STDOUT_FILENO) != 1 || kind == nullptr || std::string_view(kind) == "dumb") return false;
  return variable("OMPI_COMM_WORLD_SIZE") == nullptr || parent_has_a_terminal();
}

}  // namespace wansweep
