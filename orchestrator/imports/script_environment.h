// What an attempt's script found out and no file of SGLang's tells: whether the steps of a perf dump end on the device
// or on the host, and which release ran.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/imports/engine_trace.h"
#include "schema/run_settings.h"

namespace wansweep {

// Writes into the environment of each perf dump, from what the script of an attempt wrote down (engine.env in
// `attempt`, orchestrator/engines/engine.h; empty for a run made elsewhere):
//   synchronised     "synchronised" or "unsynchronised" where that file or the release tells it, or else "unknown",
//                    with the reason
//   sglang_release   what SGLang says of itself, or "unknown"; not for a run made elsewhere
void tell_environment(std::vector<EngineTrace>& files, const RunSettings& settings, const std::string& attempt);

}  // namespace wansweep
