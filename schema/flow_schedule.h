// Wan's flow-matching noise schedule: sigmas, timesteps, and the step at which the low-noise expert takes over. Pure
// functions; the sources of the formulas stand beside them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/setting_values.h"

namespace wansweep {

// The values of SigmaSchedule place the sigmas in three published ways. With S_k(x) = k x / (1 + (k - 1) x) and n
// steps:
//   diffusers  S_k(linspace(1, 1/1000, n+1)[:-1]), first one 1 - 1e-6  (UniPCMultistepScheduler, use_flow_sigmas)
//   sglang     S_k(linspace(S_k(0.999), 0, n+1)[:-1])                  (the shift is applied twice)
//   wan        S_k(linspace(0.999, 0, n+1)[:-1])                       (Wan-Video/Wan2.2, FlowUniPC)

struct FlowSchedule {
  std::vector<float> sigmas;   // steps + 1 values, the last one 0
  std::vector<int> timesteps;  // steps values: trunc(sigma * 1000)
};

// Throws bad_input unless steps >= 1 and flow_shift > 0.
FlowSchedule make_flow_schedule(SigmaSchedule schedule, int steps, double flow_shift);

// The first step, counted from 1, whose timestep is below boundary_ratio * 1000; nullopt when no step is.
std::optional<int> switch_step(const FlowSchedule& schedule, double boundary_ratio);

}  // namespace wansweep
