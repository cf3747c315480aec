// Reads a trace of the PyTorch profiler (Kineto, Chrome's Trace Event format) of one rank: the device's work and the
// marks of the steps.
//
// The file is read as a stream: of two gigabytes of JSON, only the device's events stay in memory, 40 bytes each. Times
// are nanoseconds of the system's clock if the trace gives its origin (baseTimeNanoseconds), and of a clock of its own
// otherwise. A step is marked on the host and, by the profiler, on the device, from its first kernel to its last. The
// device's mark is preferred, since the host may be far ahead.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"
#include "orchestrator/imports/kernel_classes.h"

namespace wansweep {

// Throws bad_input, naming the file, when it is cut short, is not a trace, or has a time that is not a number. Nothing
// of such a file is used.
EngineTrace read_kineto_trace(const std::string& file, KernelClasses& classes);

}  // namespace wansweep
