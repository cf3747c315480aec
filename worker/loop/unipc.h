// UniPC (order 2, bh2, predict_x0, lower_order_final): the factors by which each step multiplies its tensors.
//
// The formulas are those of diffusers' UniPCMultistepScheduler with flow prediction: x0 = x - sigma v, lambda = log(1 -
// sigma) - log(sigma). The corrector runs from the second step on, with the order of the step before; the first and
// last step have order 1.
#pragma once

#include <vector>

#include "schema/flow_schedule.h"
#include "worker/device/ops.h"

namespace wansweep {

// One entry for each step. `guidance` stays 1 here: the loop sets it to the scale of the step's expert.
std::vector<UniPCStep> unipc_steps(const FlowSchedule& schedule);

}  // namespace wansweep
