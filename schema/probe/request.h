// What a probe is to measure: "probe" in an attempt's spec.json, beside the settings that say on what it runs. The
// orchestrator makes it of a sweep's runs, one settings object for each distinct shape.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "schema/run_settings.h"

namespace wansweep {

inline constexpr double most_probe_seconds = 3600;

struct ProbeRequest {
  double seconds = 90;              // that all of it may take; above 0, at most most_probe_seconds
  std::vector<RunSettings> shapes;  // at least one; resolved
};

nlohmann::json to_json(const ProbeRequest& request);

// Throws bad_input, its line beginning with `where`, for what is no such object.
ProbeRequest probe_request_from_json(const nlohmann::json& json, const std::string& where);

}  // namespace wansweep
