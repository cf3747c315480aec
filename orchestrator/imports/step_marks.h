// Recognises the marks that engines put around a step in a profiler's trace.
#pragma once

#include <optional>
#include <string_view>

namespace wansweep {

// A step's mark. Traces count from 0. A range of the engine's loop is preferred to one of the profiler's schedule.
struct StepName {
  enum class Kind { denoising, profiler } kind = Kind::denoising;
  int step = 0;                    // from 1
  std::optional<double> timestep;  // if the name has it
};

// "denoising_step_3" and "denoising_step_3_t961" (SGLang, diffusers_run.py), "ProfilerStep#3" (the PyTorch profiler's
// own, of which SGLang makes one for each step). nullopt when the name is not a step's.
std::optional<StepName> parse_step_name(std::string_view name);

}  // namespace wansweep
