// What a rank does once before the loop, so that no step pays for it: libraries load, algorithms are tried, ranks
// connect.
#pragma once

#include "worker/model/context.h"

namespace wansweep {

// Runs one block of the model on drawn values, on all ranks together. It needs a block's bytes of device memory, which
// it gives back: call it before the experts are there. What it leaves in the workspace means nothing. `context`'s
// recorder should keep nothing.
void warm_up(const ModelContext& context);

}  // namespace wansweep
