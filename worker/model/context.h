// The objects that every part of a rank's model uses. They outlive the parts.
#pragma once

#include "schema/run_plan.h"
#include "worker/comm/communicator.h"
#include "worker/device/device.h"
#include "worker/model/workspace.h"
#include "worker/trace/recorder.h"

namespace wansweep {

struct ModelContext {
  Device& device;
  Communicator* communicator;  // null on one rank
  Recorder& recorder;
  Workspace& workspace;
  const RunPlan& run;
  int rank = 0;
  int exchange_groups = 1;  // groups of each Ulysses rank's heads; at most the number of heads of the rank with fewest

  const ModelConfig& config() const { return run.model.config; }
  const ParallelPlan& plan() const { return run.parallel; }
};

}  // namespace wansweep
