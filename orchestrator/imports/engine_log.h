// Reader for SGLang's log: what it printed while it ran.
//
// A log has no times of single steps, so it gives no rows. It tells the settings of a run that has other files:
//   "server_args: {...}"            the server's arguments as JSON, in 0.5.6 to 0.5.23; when they are no JSON, SGLang
//                                   prints them as ServerArgs(name=value, ...): the model's path, the ranks and how
//                                   they share the work, offload, prefetch, and whether host memory is pinned
//   "Sampling params:"              a line for each value of a request: size, frames, seed, steps, flow_shift,
//                                   guidance_scale. 0.5.9 prints them at log level debug only
//   "Setting boundary ratio to N"   of a model of two experts
// and, for the environment, the time of each stage and the average time of a step.
//
// The version and guidance_scale_2 are in no line. A value that two requests of one log had differently is not told.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"

namespace wansweep {

// Throws bad_input naming the file when it has none of these lines.
EngineTrace read_engine_log(const std::string& file);

}  // namespace wansweep
