// What started this process: whether MPI sees all the processes that a launcher started, and whether a person at a
// terminal started them. Where the launcher and MPI do not speak the same protocol (srun without the right --mpi,
// mpirun of another MPI), each process finds itself alone, and would do a run of one rank.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace wansweep {

// One line on what is wrong; nullopt when the variables that launchers set agree with `ranks`. `variable` is getenv, or
// a test's replacement.
std::optional<std::string> ranks_out_of_sight(int ranks, const std::function<const char*(const char*)>& variable);

// Whether what rank 0 writes to standard output reaches a terminal. Open MPI gives every rank a pseudo-terminal as its
// standard output, whatever mpirun's own is: there the output of mpirun, this process's parent, is asked about.
bool output_reaches_a_terminal(const std::function<const char*(const char*)>& variable);

}  // namespace wansweep
