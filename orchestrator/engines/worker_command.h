// The command that runs this project's worker. The worker's output is described in schema/completion.h and
// schema/trace_file.h; orchestrator/store reads it.
#pragma once

#include <cstdint>
#include <string>

#include "base/process.h"

namespace wansweep {

struct WorkerPrograms {
  std::string mpirun = "mpirun";  // Open MPI's
  std::string worker;             // path of wansweep-worker
};

// Throws bad_input when a program does not exist, or when mpirun is not Open MPI's (the line quotes its --version).
// Runs mpirun --version.
void check_programs(const WorkerPrograms& programs);

// Runs the worker on `ranks` ranks of this machine, for the attempt in `directory` (absolute): the worker reads
// spec.json there, and writes its logs and results there. There may be more ranks than cores.
Command worker_command(const WorkerPrograms& programs, const std::string& directory, int64_t ranks);

}  // namespace wansweep
