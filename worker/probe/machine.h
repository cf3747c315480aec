// What a probe runs on.
#pragma once

#include "schema/probe/record.h"
#include "worker/backend.h"
#include "worker/comm/mpi_world.h"

namespace wansweep {

// Collective; the whole is on rank 0, of whose node it is.
ProbedMachine describe_machine(MpiWorld& world, const Backend& backend, const RunSettings& settings);

}  // namespace wansweep
