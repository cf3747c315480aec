// Reports a worker's failure.
#pragma once

#include <string>

#include "base/exit_codes.h"

namespace wansweep {

// Prints the line on standard error, and writes it to OUT/failure.json if OUT is a directory that holds no failure yet.
// Does not throw. Any thread may call it.
void report_failure(const std::string& out, int rank, ExitCode code, const std::string& line);

}  // namespace wansweep
