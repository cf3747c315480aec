#include "orchestrator/engines/worker_command.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/temporary_folder.h"

namespace wansweep {
namespace {

constexpr std::array<std::string_view, 3> open_mpi_names{"Open MPI", "OpenRTE", "PRRTE"};
constexpr size_t most_shown = 200;  // characters of a program's output

// The output of `mpirun --version`, standard output and error together.
std::string version_of(const std::string& mpirun) {
  const TemporaryFolder folder;
  Command command;
  command.arguments = {mpirun, "--version"};
  command.stdout_file = folder.file("out");
  command.stderr_file = folder.file("err");
  const pid_t pid = spawn(command);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return read_text(command.stdout_file) + read_text(command.stderr_file);
}

std::string first_line(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return "nothing";
  return printable(text.substr(begin, std::min(text.find('\n', begin) - begin, most_shown)));
}

}  // namespace

void check_programs(const WorkerPrograms& programs) {
  if (find_program(programs.worker).empty()) {
    throw bad_input(fmt::format("{}: no such worker; build it with `make build`, or give --worker", programs.worker));
  }
  if (find_program(programs.mpirun).empty()) {
    throw bad_input(fmt::format(
        "{}: not found; install openmpi-bin, load the cluster's OpenMPI module, or give --mpirun", programs.mpirun));
  }
  const std::string version = version_of(programs.mpirun);
  const bool is_open_mpi = std::any_of(open_mpi_names.begin(), open_mpi_names.end(),
                                       [&](std::string_view name) { return version.find(name) != version.npos; });
  if (is_open_mpi) return;
  throw bad_input(
      fmt::format("{}: is not Open MPI's mpirun, which the worker needs (its --version prints: {}); load the "
                  "cluster's OpenMPI module, or give --mpirun",
                  programs.mpirun, first_line(version)));
}

Command worker_command(const WorkerPrograms& programs, const std::string& directory, int64_t ranks) {
  Command command;
  command.arguments = {programs.mpirun, "--oversubscribe"};
  if (geteuid() == 0) command.arguments.emplace_back("--allow-run-as-root");
  for (const std::string& argument : {std::string("-n"), std::to_string(ranks), programs.worker, std::string("--spec"),
                                      directory + "/spec.json", std::string("--out"), directory}) {
    command.arguments.push_back(argument);
  }
  // There may be more ranks than cores: ranks must yield while they wait, be unbound, and have one BLAS thread each.
  command.environment = {{"OMPI_MCA_mpi_yield_when_idle", "1"},
                         {"OMPI_MCA_hwloc_base_binding_policy", "none"},
                         {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
                         {"OMP_NUM_THREADS", "1"},
                         {"OPENBLAS_NUM_THREADS", "1"}};
  command.stdout_file = directory + "/stdout.log";
  command.stderr_file = directory + "/stderr.log";
  command.new_files = true;
  return command;
}

}  // namespace wansweep
