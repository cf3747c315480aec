// WANSWEEP_HOST_MEMORY: the GiB that the ranks of a host may take together. It stands in for what the system says where
// that is wrong: on machines whose memory grows as it is used, and where a person grants less than there is.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace wansweep {

// In bytes; nullopt: the variable is not set. A value that is no number, or not in (0, 2^20] GiB, is bad_input.
inline std::optional<int64_t> declared_host_memory() {
  const char* variable = std::getenv("WANSWEEP_HOST_MEMORY");
  if (variable == nullptr) return std::nullopt;
  const std::string_view text(variable);
  double gib = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), gib);
  constexpr double most = 1 << 20;
  if (error != std::errc() || end != text.data() + text.size() || !(gib > 0) || gib > most) {
    throw bad_input(fmt::format(
        "WANSWEEP_HOST_MEMORY is \"{}\"; give the GiB that the ranks of a host may take together, such as 480", text));
  }
  return static_cast<int64_t>(gib * gibibyte);
}

}  // namespace wansweep
