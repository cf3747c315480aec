// Describes the machine that a probe runs on.
#pragma once

#include "schema/probe/record.h"
#include "worker/backend.h"
#include "worker/comm/mpi_world.h"

namespace wansweep {

// Collective: all ranks call it together. The description is of rank 0's node, and only rank 0's result is complete.
ProbedMachine describe_machine(MpiWorld& world, const Backend& backend, const RunSettings& settings);

}  // namespace wansweep
