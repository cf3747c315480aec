// Writes a timeline in the Trace Event format (JSON), which ui.perfetto.dev and chrome://tracing open.
//
// Each rank is a process and each stream a thread: steps, compute (with its stalls), copies to the device, copies from
// it, exchanges. Memory is shown as counters. An arrow leads from a stall to the copy or exchange that it waited for,
// which is the one that ended when the stall did. Times are microseconds since the first event.
#pragma once

#include <string>

#include "orchestrator/store/timeline.h"

namespace wansweep {

std::string to_trace_events(const Timeline& timeline);

}  // namespace wansweep
