// What every part of a rank's model computes with. All of it outlives the parts.
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
  int exchange_groups = 1;  // into which each Ulysses rank's heads are cut; at most as many as the fewest heads

  const ModelConfig& config() const { return run.model.config; }
  const ParallelPlan& plan() const { return run.parallel; }
};

}  // namespace wansweep
