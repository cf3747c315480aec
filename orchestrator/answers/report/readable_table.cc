#include "orchestrator/answers/report/readable_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "orchestrator/answers/report/cells.h"

namespace wansweep {
namespace {

struct Unit {
  std::string_view ending;  // of a column's name
  std::string_view shown;   // in its heading
  std::string_view larger;  // the ending of the unit to take for large numbers; empty: none
  double divisor = 1;       // from one to the other
};
// A longer ending comes before the endings that it ends with.
constexpr std::array<Unit, 8> units{{{"_gb_per_s", " (GB/s)", "", 1},
                                     {"_tflop_per_s", " (TFLOP/s)", "", 1},
                                     {"_plus_minus", " plus or minus", "", 1},
                                     {"_gib", " (GiB)", "", 1},
                                     {"_mib", " (MiB)", "_gib", 1024},
                                     {"_percent", " (%)", "", 1},
                                     {"_ms", " (ms)", "_s", 1000},
                                     {"_s", " (s)", "", 1}}};

constexpr double large = 1000;
constexpr double too_small = 0.1;  // in the smaller unit: the larger one would lose it
constexpr int digits_of_largest = 4;
constexpr int digits_of_least = 2;
constexpr int most_decimals = 6;
constexpr int most_decimals_more = 2;  // for the least number than for the largest
constexpr size_t shortest_digest = 32;
constexpr size_t digest_digits = 12;

const Unit* unit_of(const std::string& column) {
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return column.ends_with(u.ending); });
  return found == units.end() ? nullptr : &*found;
}

// The least and largest of a column's numbers, without their signs; zeros do not count.
struct Extent {
  double least = 0;
  double largest = 0;
};
std::optional<Extent> extent_of(const Table& table, size_t column) {
  std::optional<Extent> extent;
  for (const auto& row : table.rows) {
    const double value = std::abs(number_of(row[column]).value_or(0));
    if (value == 0 || !std::isfinite(value)) continue;
    if (!extent) extent = {value, value};
    extent->least = std::min(extent->least, value);
    extent->largest = std::max(extent->largest, value);
  }
  return extent;
}

// Whether the table's columns of `unit` all take the larger unit.
bool takes_larger(const Table& table, const Unit& unit) {
  if (unit.larger.empty()) return false;
  double least = std::numeric_limits<double>::infinity(), largest = 0;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const std::optional<Extent> extent = unit_of(table.columns[c]) == &unit ? extent_of(table, c) : std::nullopt;
    if (!extent) continue;
    least = std::min(least, extent->least);
    largest = std::max(largest, extent->largest);
  }
  return largest >= large && least >= too_small;
}

int decimals_for(double value, int digits) { return digits - 1 - static_cast<int>(std::floor(std::log10(value))); }

template <typename Change>
void change_numbers(Table& table, size_t column, const Change& change) {
  for (auto& row : table.rows) {
    if (const std::optional<double> value = number_of(row[column])) row[column] = change(*value);
  }
}

// A digest's first digits tell it from others on a page.
void shorten_digests(Table& table) {
  for (auto& row : table.rows) {
    for (Cell& cell : row) {
      auto* text = std::get_if<std::string>(&cell);
      if (text == nullptr || text->size() < shortest_digest) continue;
      const bool hexadecimal = std::all_of(
          text->begin(), text->end(), [](unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
      if (hexadecimal) *text = text->substr(0, digest_digits) + "…";
    }
  }
}

}  // namespace

Table readable(Table table) {
  shorten_digests(table);
  for (const Unit& unit : units) {
    if (!takes_larger(table, unit)) continue;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      std::string& name = table.columns[c];
      if (unit_of(name) != &unit) continue;
      name.replace(name.size() - unit.ending.size(), unit.ending.size(), unit.larger);
      change_numbers(table, c, [&](double value) { return value / unit.divisor; });
    }
  }
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const std::optional<Extent> extent = extent_of(table, c);
    if (unit_of(table.columns[c]) == nullptr || !extent) continue;
    const int for_largest = std::max(decimals_for(extent->largest, digits_of_largest), 0);
    const int for_least = std::min(decimals_for(extent->least, digits_of_least), for_largest + most_decimals_more);
    const int decimals = std::min(std::max(for_largest, for_least), most_decimals);
    const double scale = std::pow(10, decimals);
    change_numbers(table, c, [&](double value) { return std::round(value * scale) / scale; });
  }
  return table;
}

std::string heading_of(std::string name) {
  if (name == "gb_per_s") return "GB/s";
  if (name == "tflop_per_s") return "TFLOP/s";
  if (const Unit* unit = unit_of(name))
    name.replace(name.size() - unit->ending.size(), unit->ending.size(), unit->shown);
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace wansweep
