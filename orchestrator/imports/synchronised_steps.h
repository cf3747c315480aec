// Whether the steps of SGLang's perf dump end on the device or on the host, which the dump itself does not tell.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/imports/engine_trace.h"
#include "schema/run_settings.h"

namespace wansweep {

// Writes `synchronised` into the environment of each perf dump: "synchronised" or "unsynchronised" where it is known,
// or else "unknown", with the reason. It is known from what the script of an attempt wrote down (engine.env in
// `attempt`, orchestrator/engines/engine.h), or when the release cannot wait. `attempt` is empty for a run made
// elsewhere.
void tell_synchronised(std::vector<EngineTrace>& files, const RunSettings& settings, const std::string& attempt);

}  // namespace wansweep
