// A check around every MPI call. All communicators use MPI_ERRORS_RETURN; the macro turns the returned code into
// Error(communicator).
#pragma once

#include <mpi.h>

#include <array>
#include <exception>
#include <string>

#include "base/call_check.h"
#include "base/error.h"
#include "base/standard_error.h"

namespace wansweep {

inline void check_mpi(int result, const char* call, const char* file, int line) {
  if (result == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING + 1> text{};
  int length = 0;
  const bool known = MPI_Error_string(result, text.data(), &length) == MPI_SUCCESS;
  const std::string why = known ? text.data() : "error " + std::to_string(result);
  throw Error(ExitCode::communicator, call_failed("MPI", why, call, file, line));
}

// For destructors: prints a failure on standard error and does not throw.
inline void say_if_mpi_failed(int result, const char* call, const char* file, int line) noexcept {
  try {
    check_mpi(result, call, file, line);
  } catch (const std::exception& error) {
    print_error("wansweep-worker: {}\n", error.what());
  }
}

}  // namespace wansweep

#define mpiCheck(call) ::wansweep::check_mpi((call), #call, __FILE__, __LINE__)
#define mpiCheckAtEnd(call) ::wansweep::say_if_mpi_failed((call), #call, __FILE__, __LINE__)
