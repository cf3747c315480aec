#include "schema/probe/request.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "schema/setting_fields.h"

namespace wansweep {

nlohmann::json to_json(const ProbeRequest& request) {
  nlohmann::json shapes = nlohmann::json::array();
  for (const RunSettings& shape : request.shapes) shapes.push_back(to_json(shape));
  return {{"seconds", request.seconds}, {"shapes", shapes}};
}

ProbeRequest probe_request_from_json(const nlohmann::json& json, const std::string& where) {
  if (!json.is_object()) throw bad_input(where + ": probe is no object with seconds and shapes");
  for (const auto& [key, value] : json.items()) {
    if (key == "seconds" || key == "shapes") continue;
    throw bad_input(fmt::format("{}: probe.{} is not known; it has seconds and shapes", where, key));
  }
  ProbeRequest request;
  const nlohmann::json& seconds = json.value("seconds", nlohmann::json());
  if (!seconds.is_number() || !(seconds.get<double>() > 0 && seconds.get<double>() <= most_probe_seconds)) {
    throw bad_input(fmt::format("{}: probe.seconds is {}; a number above 0 and up to {:g} is needed", where,
                                seconds.dump(), most_probe_seconds));
  }
  request.seconds = seconds.get<double>();
  const nlohmann::json& shapes = json.value("shapes", nlohmann::json());
  if (!shapes.is_array() || shapes.empty()) {
    throw bad_input(where + ": probe.shapes is no list of settings, one at least");
  }
  for (const nlohmann::json& shape : shapes) {
    if (!shape.is_object()) throw bad_input(where + ": probe.shapes holds what is no object of settings");
    request.shapes.push_back(settings_from_json(shape, where + ": probe.shapes"));
  }
  return request;
}

}  // namespace wansweep
