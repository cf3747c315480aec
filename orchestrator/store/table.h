// An answer of the database, and three ways to print it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace wansweep {

using Cell = std::variant<std::monostate, int64_t, double, std::string>;  // monostate: NULL

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  bool cut = false;  // the row limit was reached, and there were more
};

// The cells as text for people: a column's numbers with the same decimals, NULL as `null`, no line breaks.
std::vector<std::vector<std::string>> shown_cells(const Table& table, const std::string& null);
// Whether a column holds numbers only, and so stands to the right.
bool is_numeric(const Table& table, size_t column);

std::string to_text(const Table& table);  // aligned; numbers to the right, NULL as "-"
std::string to_csv(const Table& table);   // RFC 4180; NULL as nothing
std::string to_json(const Table& table);  // a list of objects

}  // namespace wansweep
