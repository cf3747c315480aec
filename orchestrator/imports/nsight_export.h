// What `nsys export --type sqlite` makes of a report of Nsight Systems, of one rank: kernels, copies, NVTX ranges.
//
// By the documented schema (SQLite Export Schema Reference): CUPTI_ACTIVITY_KIND_KERNEL, _MEMCPY, _MEMSET and _RUNTIME,
// NVTX_EVENTS, StringIds, TARGET_INFO_*. A table that is not there had nothing to tell. Times are nanoseconds of the
// system's clock where the export says when its session began, else since then. A step is marked by an NVTX range on
// the host; on the device it lasts from the first to the last kernel that was launched within the range.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"
#include "orchestrator/imports/kernel_classes.h"

namespace wansweep {

// Throws bad_input, naming the file: that it is damaged, that it is no such export, or that it holds the kernels of
// several processes.
EngineTrace read_nsight_export(const std::string& file, KernelClasses& classes);

}  // namespace wansweep
