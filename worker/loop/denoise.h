// The denoising loop of one rank. Each step runs one or two forwards of the step's expert, then guidance and the
// scheduler.
#pragma once

#include <functional>

#include "worker/model/context.h"
#include "worker/model/transformer.h"

namespace wansweep {

struct StepEnd {
  int step = 0;
  int64_t not_finite = 0;  // number of this rank's latents that are infinite or not a number
};

// Runs all steps on workspace.latents, which hold this rank's tokens. Calls `after_step` after each step, when the
// step's work has ended on the device; the loop ends early when it returns false. Returns the number of finished steps.
int denoise(const ModelContext& context, Transformer& transformer,
            const std::function<bool(const StepEnd&)>& after_step);

}  // namespace wansweep
