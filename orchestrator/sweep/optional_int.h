#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace wansweep {

// A field of a file that an older wansweep, or none, may have written: absent, null or no integer is nothing.
inline std::optional<int> optional_int(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? std::optional<int>(found->get<int>()) : std::nullopt;
}

}  // namespace wansweep
