// Measures, in place of running the loop, how long the pieces of a job's work take on this machine.
#pragma once

#include "base/exit_codes.h"
#include "worker/comm/mpi_world.h"
#include "worker/options.h"

namespace wansweep {

// Together with the other ranks: leaves probe.json (schema/probe/record.h) and completed.json in options.out, or
// neither. Ends in about the seconds that the request allows; what was not reached is named in the record. Throws on
// all ranks: bad_input for a request that cannot be measured, Error(device_unavailable) for a GPU that others use.
ExitCode run_probe(MpiWorld& world, const WorkerOptions& options);

}  // namespace wansweep
