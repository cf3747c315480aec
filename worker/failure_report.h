// What a worker says when it fails.
#pragma once

#include <string>

#include "base/exit_codes.h"

namespace wansweep {

// The line on standard error, and in OUT/failure.json when OUT is a directory and holds no failure yet. Throws nothing:
// where nothing can be written, standard error has said it. Any thread may call it.
void report_failure(const std::string& out, int rank, ExitCode code, const std::string& line);

}  // namespace wansweep
