#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace wansweep {

// A field of a file that an older wansweep, or none, may have written: absent, null, or nothing that an int can hold is
// nothing.
inline std::optional<int> optional_int(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  const auto value = found->get<int64_t>();
  const bool fits = value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max();
  return fits ? std::optional(static_cast<int>(value)) : std::nullopt;
}

}  // namespace wansweep
