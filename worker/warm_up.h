// Warming up, once before the loop, so that no step is slowed by it: libraries load, algorithms are tried, ranks
// connect, and the best number of exchange groups is measured if the settings leave it open.
#pragma once

#include "worker/comm/mpi_world.h"
#include "worker/model/context.h"

namespace wansweep {

struct WarmUp {
  double seconds = 0;        // time of the whole warm-up
  double block_seconds = 0;  // time of one block after warm-up
  int exchange_groups = 1;   // the number to use, the same on all ranks
};

// Runs the layers outside blocks, and blocks, on random values, on all ranks together, with the shapes and strides of
// the loop. It allocates the device memory of one block and frees it again, so call it before the experts are loaded.
// It overwrites the workspace. `context`'s recorder should keep nothing. Collective.
WarmUp warm_up(ModelContext context, MpiWorld& world);

}  // namespace wansweep
