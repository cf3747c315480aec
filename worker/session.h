// One run on one rank, from its settings to its completion record.
#pragma once

#include "base/exit_codes.h"
#include "worker/comm/mpi_world.h"
#include "worker/options.h"

namespace wansweep {

// Runs `options` together with the other ranks. Returns ok or interrupted; failures that all ranks know of are thrown
// on all of them, and a failure of one rank in the middle of the loop ends the job.
ExitCode run_session(MpiWorld& world, WorkerOptions options);

// Asks the session to stop after the step it is in; before the first one the process ends at once. Safe in a signal
// handler.
void request_stop(int signal);

}  // namespace wansweep
