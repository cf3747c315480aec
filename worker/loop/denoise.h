// The denoising loop of one rank: for each step the expert, one or two forwards, guidance and the scheduler.
#pragma once

#include <functional>

#include "worker/model/context.h"
#include "worker/model/transformer.h"

namespace wansweep {

struct StepEnd {
  int step = 0;
  int64_t not_finite = 0;  // how many of this rank's latents are infinite or not a number
};

// Runs all steps on workspace.latents, which hold this rank's tokens. After each step `after_step` is called (the
// step's work is done by then); when it returns false, the loop ends early. Returns the number of finished steps.
int denoise(const ModelContext& context, Transformer& transformer,
            const std::function<bool(const StepEnd&)>& after_step);

}  // namespace wansweep
