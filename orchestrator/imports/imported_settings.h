// The settings of a run made elsewhere: what its user and its files tell, and what follows from that. What nobody tells
// is marked as unknown and is null in the database, whatever the setting's default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/imports/engine_trace.h"
#include "schema/run_settings.h"

namespace wansweep {

// The number of ranks that the files tell: as one of them says, or by the highest rank in their names; nullopt when
// neither tells it. A perf dump, which is always of rank 0, does not.
std::optional<int64_t> ranks_told(const std::vector<EngineTrace>& files);

// Completes `told` (each setting that the user gave has an origin) from the files, and resolves it as a planned run's
// settings are:
//   engine        by who writes such files: perf dumps and logs are SGLang's, and a step record names its engine
//   the model     by its files, if its path is here; by model_id; or by its name on the hub
//   the catalog   its values are recorded beside those that are known, so that query configuration_drift sees them
//   SGLang's own  where engine_version and the path are known, flow_shift, boundary_ratio and the guidance scales that
//                 nobody told are those that this release takes for the path; a setting `resolver` goes before
// Adds notes on what was concluded. Throws bad_input for a missing engine or offload, for settings that the engine does
// not follow, and when user and files contradict each other.
RunSettings imported_settings(RunSettings told, const std::vector<EngineTrace>& files, std::vector<std::string>& notes);

// Throws bad_input when a file was written by another release than engine_version; both must be known.
void refuse_other_version(const std::vector<EngineTrace>& files, const RunSettings& settings);

// Of the settings of an earlier import, those that its user told.
RunSettings told_settings(const RunSettings& imported);

}  // namespace wansweep
