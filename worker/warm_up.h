// What a rank does once before the loop, so that no step pays for it: libraries load, algorithms are tried, ranks
// connect, and the number of groups in which heads are exchanged is found where the settings leave it open.
#pragma once

#include "worker/comm/mpi_world.h"
#include "worker/model/context.h"

namespace wansweep {

struct WarmUp {
  double seconds = 0;        // of all of it
  double block_seconds = 0;  // of one block, once warm
  int exchange_groups = 1;   // the same on all ranks
};

// Runs blocks of the model on drawn values, on all ranks together, with the shapes and strides of the loop. It needs a
// block's bytes of device memory, which it gives back: call it before the experts are there. What it leaves in the
// workspace means nothing. `context`'s recorder should keep nothing.
WarmUp warm_up(ModelContext context, MpiWorld& world);

}  // namespace wansweep
