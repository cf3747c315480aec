// Reads an int from JSON that may not have it.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace wansweep {

// The value of an optional field in a file that may be old or foreign; nullopt when it is absent, null, or not an int.
inline std::optional<int> optional_int(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  const auto value = found->get<int64_t>();
  const bool fits = value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max();
  return fits ? std::optional(static_cast<int>(value)) : std::nullopt;
}

}  // namespace wansweep
