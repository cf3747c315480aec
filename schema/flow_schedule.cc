#include "schema/flow_schedule.h"

#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

namespace {

double shifted(double shift, double x) { return shift * x / (1 + (shift - 1) * x); }

}  // namespace

FlowSchedule make_flow_schedule(SigmaSchedule schedule, int steps, double flow_shift) {
  if (steps < 1) throw bad_input(fmt::format("steps is {}; at least 1 is needed", steps));
  if (!(flow_shift > 0)) throw bad_input(fmt::format("flow_shift is {}; it must be above 0", flow_shift));
  double first = 1, last = 0.001;
  if (schedule != SigmaSchedule::diffusers) {
    first = schedule == SigmaSchedule::sglang ? shifted(flow_shift, 0.999) : 0.999;
    last = 0;
  }
  FlowSchedule result;
  for (int i = 0; i < steps; ++i) {
    const double x = first + (last - first) * i / steps;
    float sigma = static_cast<float>(shifted(flow_shift, x));
    if (i == 0 && schedule == SigmaSchedule::diffusers) sigma = static_cast<float>(1 - 1e-6);
    result.sigmas.push_back(sigma);
    result.timesteps.push_back(static_cast<int>(double{sigma} * 1000));
  }
  result.sigmas.push_back(0);
  return result;
}

std::optional<int> switch_step(const FlowSchedule& schedule, double boundary_ratio) {
  for (size_t i = 0; i < schedule.timesteps.size(); ++i) {
    if (schedule.timesteps[i] < boundary_ratio * 1000) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

}  // namespace wansweep
