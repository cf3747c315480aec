// Reads the SQLite file that `nsys export --type sqlite` makes of a report of Nsight Systems, of one rank: kernels,
// copies, NVTX ranges.
//
// By the documented schema (SQLite Export Schema Reference): CUPTI_ACTIVITY_KIND_KERNEL, _MEMCPY, _MEMSET and _RUNTIME,
// NVTX_EVENTS, StringIds, TARGET_INFO_*. A missing table means that there were no such events. Times are nanoseconds of
// the system's clock if the export gives the beginning of its session, and since that beginning otherwise. An NVTX
// range on the host marks a step; on the device, the step lasts from the first to the last kernel launched within the
// range.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"
#include "orchestrator/imports/kernel_classes.h"

namespace wansweep {

// Throws bad_input, naming the file, when it is damaged, is not such an export, or holds the kernels of several
// processes.
EngineTrace read_nsight_export(const std::string& file, KernelClasses& classes);

}  // namespace wansweep
