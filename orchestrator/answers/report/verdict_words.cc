#include "orchestrator/answers/report/verdict_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace wansweep {

std::string list_of(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  if (words.size() == 1) return words[0];
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

std::string percent_text(double share) {
  const double percent = 100 * std::abs(share);
  return percent < 9.95 ? fmt::format("{:.2g} %", percent) : fmt::format("{:.0f} %", percent);
}

std::string seconds_text(double seconds) {
  if (std::abs(seconds) >= 999.5) return fmt::format("{:.0f} s", seconds);
  if (std::abs(seconds) >= 0.0995) return fmt::format("{:.3g} s", seconds);
  return fmt::format("{:.3g} ms", 1000 * seconds);
}

std::string longer_text(double other, double base) {
  const double ratio = other / base;
  if (ratio >= 2) return fmt::format("{:.1f} times as long", ratio);
  if (std::abs(ratio - 1) < 0.0005) return "as long";
  return fmt::format("{} {}", percent_text(ratio - 1), ratio > 1 ? "longer" : "less time");
}

std::string range_text(double least, double most) {
  const std::string from = longer_text(least, 1), to = longer_text(most, 1);
  if (from == to) return from;
  if (least > 1 && most < 2) return fmt::format("{:.2g} to {:.2g} % longer", 100 * (least - 1), 100 * (most - 1));
  if (least > 1.5) return fmt::format("{:.1f} to {:.1f} times as long", least, most);
  return fmt::format("{} to {}", from, to);
}

}  // namespace wansweep
