#include "slurm/array_ids.h"

#include <fmt/format.h>

#include <algorithm>

#include "slurm/whole_number.h"

namespace wansweep {
namespace {

constexpr int64_t max_index = 4'000'000;  // Slurm's own limit on MaxArraySize

// "4", "4-52" or "4-52:2".
bool add_range(std::string_view text, std::vector<int>& indices) {
  int64_t step = 1;
  const size_t colon = text.find(':');
  if (colon != text.npos) step = whole_number(text.substr(colon + 1)).value_or(0);
  if (step == 0) return false;
  text = text.substr(0, colon);
  const size_t dash = text.find('-');
  const std::optional<int64_t> first = whole_number(text.substr(0, dash));
  const std::optional<int64_t> last = dash == text.npos ? first : whole_number(text.substr(dash + 1));
  if (!first || !last || *last < *first || *last > max_index) return false;
  for (int64_t index = *first; index <= *last; index += std::min(step, max_index)) {
    indices.push_back(static_cast<int>(index));
  }
  return true;
}

}  // namespace

std::optional<ArrayIds> parse_array_ids(std::string_view text) {
  ArrayIds ids;
  const size_t underscore = text.find('_');
  const std::optional<int64_t> job = whole_number(text.substr(0, underscore));
  if (!job) return std::nullopt;
  ids.job = *job;
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
