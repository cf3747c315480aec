// What the exit code of a launcher (mpirun, srun, a shell) says of the ranks behind it.
//
// A signal that ends a rank becomes 128 + the signal in a shell, in srun, and in an mpirun on the rank's own node. Of a
// rank on another node Open MPI 4.1 gives the bare signal: 11 for SIGSEGV, which is the worker's host_memory; 2, 10 and
// 12 to 15 meet its other codes in the same way. Then only the launcher's line on standard error tells them apart.
#pragma once

#include <optional>
#include <string>

namespace wansweep {

// One of both.
struct LauncherExit {
  std::optional<int> exit_code;
  std::optional<int> signal;  // that ended a rank
};

// Of the launcher that ended with `exit_code`; its standard error, and failure.json where the worker left one, are in
// the attempt's `directory`. A worker that left its word was ended by no signal: its code stands.
LauncherExit read_launcher_exit(const std::string& directory, int exit_code);

}  // namespace wansweep
