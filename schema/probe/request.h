// The request for a probe: what it is to measure. It is the member "probe" of an attempt's spec.json; the settings
// beside it say what the probe runs on. The orchestrator makes it from a sweep's runs, with one settings object for
// each distinct shape.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "schema/run_settings.h"

namespace wansweep {

inline constexpr double most_probe_seconds = 3600;

struct ProbeRequest {
  double seconds = 90;              // how long the whole probe may take; above 0, at most most_probe_seconds
  std::vector<RunSettings> shapes;  // at least one; resolved settings of a run of each shape
};

nlohmann::json to_json(const ProbeRequest& request);

// Throws bad_input, with a line that begins with `where`, when `json` is not such an object.
ProbeRequest probe_request_from_json(const nlohmann::json& json, const std::string& where);

}  // namespace wansweep
