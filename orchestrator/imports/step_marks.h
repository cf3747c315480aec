// How engines mark a step of the loop in a profiler's trace.
#pragma once

#include <optional>
#include <string_view>

namespace wansweep {

// Counted from 0 in the trace. A range of the loop itself goes before one of the profiler's schedule.
struct StepName {
  enum class Kind { denoising, profiler } kind = Kind::denoising;
  int step = 0;                    // from 1
  std::optional<double> timestep;  // where the name has it
};

// "denoising_step_3" and "denoising_step_3_t961" (SGLang, diffusers_run.py), "ProfilerStep#3" (the PyTorch profiler's
// own, of which SGLang makes one a step). nullopt: it names no step.
std::optional<StepName> parse_step_name(std::string_view name);

}  // namespace wansweep
