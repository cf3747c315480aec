// Measures, in place of running the loop, how long the pieces of a job's work take on this machine.
#pragma once

#include "base/exit_codes.h"
#include "worker/comm/mpi_world.h"
#include "worker/options.h"

namespace wansweep {

// Collective: all ranks call it together. Leaves probe.json (schema/probe/record.h) and completed.json in options.out,
// or neither of them. It ends after about the seconds that the request allows; the record names what it had no time to
// measure. Throws on all ranks: bad_input for a request that cannot be measured, Error(device_unavailable) for a GPU
// that other processes use.
ExitCode run_probe(MpiWorld& world, const WorkerOptions& options);

}  // namespace wansweep
