// What a rank does once before the loop, so that no step pays for it: libraries load, algorithms are tried, ranks
// connect.
#pragma once

#include "worker/comm/communicator.h"
#include "worker/device/device.h"
#include "worker/job.h"
#include "worker/model/workspace.h"

namespace wansweep {

// Runs one block of the model on drawn values, untraced, on all ranks together. It needs a block's bytes of device
// memory, which it gives back: call it before the experts are there. What it leaves in the workspace means nothing.
// `communicator` may be null on one rank.
void warm_up(Device& device, Communicator* communicator, const Job& job, Workspace& workspace, int rank);

}  // namespace wansweep
