// A trace of the PyTorch profiler (Kineto, Chrome's Trace Event format), of one rank: what ran on the device, and the
// marks of the steps.
//
// Read as a stream: of two gigabytes of JSON stay what the device did, 40 bytes an event. Times are nanoseconds of the
// system's clock where the trace says from when it counts (baseTimeNanoseconds), else of a clock of its own. A step is
// marked on the host and, by the profiler, on the device, from its first kernel to its last; the device's mark goes
// before the host's, which may be far ahead.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"
#include "orchestrator/imports/kernel_classes.h"

namespace wansweep {

// Throws bad_input, naming the file: that it is cut short, that it is no trace, a time that is no number. Nothing of
// such a file is used.
EngineTrace read_kineto_trace(const std::string& file, KernelClasses& classes);

}  // namespace wansweep
