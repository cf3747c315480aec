#include "orchestrator/verbs/number_checks.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

namespace wansweep {
namespace {

constexpr size_t most_shown = 40;  // characters of the value

template <typename Number>
bool is_within(const std::string& text, Number least, Number most, bool above) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || last != end || !std::isfinite(static_cast<double>(number))) return false;
  return (above ? number > least : number >= least) && number <= most;
}

std::string refusal(const std::string& text, const std::string& needed) {
  if (text.empty()) return "";  // main.cc refuses an empty value of any option
  const std::string shown = text.size() > most_shown ? text.substr(0, most_shown) + "..." : text;
  return fmt::format("{} is not possible; {} is needed", shown, needed);
}

}  // namespace

CLI::Validator whole_number(int64_t least, int64_t most) {
  const bool bounded = most != std::numeric_limits<int64_t>::max();
  const std::string limits = bounded ? fmt::format("from {} to {}", least, most) : fmt::format("of at least {}", least);
  return {[=](const std::string& text) {
            return is_within(text, least, most, false) ? std::string() : refusal(text, "a whole number " + limits);
          },
          limits};
}

CLI::Validator number_from(double least, double most) {
  const std::string limits = fmt::format("from {} to {}", least, most);
  return {[=](const std::string& text) {
            return is_within(text, least, most, false) ? std::string() : refusal(text, "a number " + limits);
          },
          limits};
}

CLI::Validator number_above(double least, double most) {
  const std::string limits =
      std::isfinite(most) ? fmt::format("above {} and at most {}", least, most) : fmt::format("above {}", least);
  return {[=](const std::string& text) {
            return is_within(text, least, most, true) ? std::string() : refusal(text, "a number " + limits);
          },
          limits};
}

}  // namespace wansweep
