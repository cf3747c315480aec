// One run on one rank, from its settings to its completion record.
#pragma once

#include "base/exit_codes.h"
#include "worker/comm/mpi_world.h"
#include "worker/options.h"

namespace wansweep {

// Runs `options` together with the other ranks. Returns ok or interrupted. A failure before or after the loop is thrown
// on all ranks; a failure of one rank inside the loop is thrown there, and the caller must end the job.
ExitCode run_session(MpiWorld& world, WorkerOptions options);

// Asks the session to stop after the current step; before the first step, the process ends at once. May be called from
// a signal handler.
void request_stop(int signal);

}  // namespace wansweep
