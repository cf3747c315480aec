// How a run's command is made, for our own worker. What an attempt leaves behind is schema/completion.h and
// schema/trace_file.h; how that becomes rows is orchestrator/store.
#pragma once

#include <cstdint>
#include <string>

#include "base/process.h"

namespace wansweep {

struct WorkerPrograms {
  std::string mpirun = "mpirun";  // Open MPI's
  std::string worker;             // path of wansweep-worker
};

// Throws bad_input when one of them is not there, and when mpirun is not Open MPI's, naming what its --version says.
// Runs mpirun.
void check_programs(const WorkerPrograms& programs);

// The worker on `ranks` ranks of this machine, for the attempt in `directory` (absolute): its spec.json is read, its
// logs and results are written there. Ranks may outnumber cores.
Command worker_command(const WorkerPrograms& programs, const std::string& directory, int64_t ranks);

}  // namespace wansweep
