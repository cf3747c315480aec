// Finds settings that a user gave and that change nothing of the run: a mistake, or an axis whose runs only repeat each
// other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/run_plan.h"

namespace wansweep {

struct IdleSetting {
  std::string_view name;
  std::string why;  // "offload is swap, and only planned has block slots to size"
};

// The settings with another value than their default that make no difference to this run of wansweep-worker. Those that
// another engine does not follow are refused elsewhere (engines/followed_settings.h), and so are values that do not go
// together (validate).
std::vector<IdleSetting> idle_settings(const RunPlan& run);

// Whether the user gave the setting a value that is not the default.
bool is_given(const RunSettings& settings, std::string_view name);

// "device_budget 3 has no effect here: offload is swap, ..."
std::string to_warning(const RunSettings& settings, const IdleSetting& idle);

}  // namespace wansweep
