// Which settings each engine follows. A setting that is set but not followed is an error, since the database would
// record it as if it had counted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/run_settings.h"

namespace wansweep {

// The engine's name as people write it: "SGLang", "diffusers", "wansweep-worker".
std::string_view title_of(EngineKind engine);

bool follows(EngineKind engine, std::string_view setting);

// A sweep of several engines has settings of all of them in its [base]. Resets those of other engines than the run's to
// their defaults: engine_version belongs to SGLang; engine_profile does not apply to the worker, which always traces.
void drop_settings_of_others(RunSettings& settings);

// Throws bad_input for the first setting that differs from its default and that the engine does not follow: "keep_steps
// is true, but SGLang does not follow this setting: leave it out for engine sglang".
void refuse_unfollowed(const RunSettings& settings);

// Marks the settings that another engine does not follow with the origin `not followed`. Does not change runs of the
// worker.
void mark_unfollowed(RunSettings& settings);

}  // namespace wansweep
