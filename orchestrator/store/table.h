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

std::string to_text(const Table& table);  // aligned; numbers to the right, NULL as "-"
std::string to_csv(const Table& table);   // RFC 4180; NULL as nothing
std::string to_json(const Table& table);  // a list of objects

}  // namespace wansweep
