// Which settings an engine follows. One that is set and not followed would be recorded as if it had counted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/run_settings.h"

namespace wansweep {

// As people write it: "SGLang", "diffusers", "wansweep-worker".
std::string_view title_of(EngineKind engine);

bool follows(EngineKind engine, std::string_view setting);

// Settings about another engine than the run's own, which a sweep of several engines has in its [base], go back to
// their defaults: engine_version is SGLang's, engine_profile is not the worker's, which always traces.
void drop_settings_of_others(RunSettings& settings);

// Throws bad_input for the first setting that differs from its default and that the engine does not follow: "keep_steps
// is true; SGLang does not follow it; leave it out for engine sglang".
void refuse_unfollowed(const RunSettings& settings);

// Gives what another engine does not follow the origin that says so; of the worker's runs nothing changes.
void mark_unfollowed(RunSettings& settings);

}  // namespace wansweep
