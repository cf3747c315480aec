// The denoising loop of one rank: for each step the expert, one or two forwards, guidance and the scheduler.
#pragma once

#include <functional>
#include <vector>

#include "schema/flow_schedule.h"
#include "schema/parallel_plan.h"
#include "worker/model/transformer.h"

namespace wansweep {

struct DenoiseSettings {
  FlowSchedule schedule;
  double boundary_ratio = 0;  // 0: one expert
  double guidance_scale = 1;  // of the high-noise expert; guidance runs when it is above 1
  double guidance_scale_2 = 1;
};

struct DenoiseParts {
  Device& device;
  Recorder& recorder;
  Workspace& workspace;
  Transformer& transformer;
  Offload& offload;
  Communicator* communicator;  // null on one rank
  const ParallelPlan& plan;
  int rank;
};

// Runs all steps on workspace.latents, which hold this rank's tokens. After each step `after_step(step)` is called (the
// step's work is done by then); when it returns false, the loop ends early. Returns the number of finished steps.
int denoise(const DenoiseSettings& settings, const DenoiseParts& parts, const std::function<bool(int)>& after_step);

}  // namespace wansweep
