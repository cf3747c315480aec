#include "slurm/array_ids.h"

#include <fmt/format.h>

#include <charconv>

namespace wansweep {
namespace {

constexpr int64_t max_index = 4'000'000;  // Slurm's own limit on MaxArraySize

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

// "4", "4-52" or "4-52:2".
bool add_range(std::string_view text, std::vector<int>& indices) {
  int step = 1;
  const size_t colon = text.find(':');
  if (colon != text.npos && (!read_number(text.substr(colon + 1), step) || step == 0)) return false;
  text = text.substr(0, colon);
  const size_t dash = text.find('-');
  int first = 0;
  if (!read_number(text.substr(0, dash), first)) return false;
  int last = first;
  if (dash != text.npos && !read_number(text.substr(dash + 1), last)) return false;
  if (last < first || last > max_index) return false;
  for (int index = first; index <= last; index += step) indices.push_back(index);
  return true;
}

}  // namespace

std::optional<ArrayIds> parse_array_ids(std::string_view text) {
  ArrayIds ids;
  const size_t underscore = text.find('_');
  if (!read_number(text.substr(0, underscore), ids.job)) return std::nullopt;
  if (underscore == text.npos) return ids;
  std::string_view rest = text.substr(underscore + 1);
  if (!rest.starts_with('[')) {
    if (!add_range(rest, ids.indices) || ids.indices.size() != 1) return std::nullopt;
    return ids;
  }
  if (!rest.ends_with(']')) return std::nullopt;
  rest = rest.substr(1, rest.size() - 2);
  rest = rest.substr(0, rest.find('%'));
  while (true) {
    const size_t comma = rest.find(',');
    if (!add_range(rest.substr(0, comma), ids.indices)) return std::nullopt;
    if (comma == rest.npos) return ids;
    rest = rest.substr(comma + 1);
  }
}

std::string array_range(int count, int limit) {
  const std::string range = fmt::format("0-{}", count - 1);
  return limit > 0 ? fmt::format("{}%{}", range, limit) : range;
}

}  // namespace wansweep
