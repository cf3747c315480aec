// The answer to a query, and three ways to print it.
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
  bool cut = false;  // there were more rows than the limit
};

// The cells as text for people: a column's numbers with the same decimals, NULL as `null`, no line breaks.
std::vector<std::vector<std::string>> shown_cells(const Table& table, const std::string& null);
// Whether a column holds only numbers, and so is aligned to the right.
bool is_numeric(const Table& table, size_t column);

std::string to_text(const Table& table);  // aligned; numbers to the right, NULL as "-"
std::string to_csv(const Table& table);   // RFC 4180; NULL as an empty field
std::string to_json(const Table& table);  // a list of objects; a column whose name comes again is NAME:1, NAME:2, ...

// The parts of these, for answers that are printed row by row (table_writer.h).

// Columns as wide as those of a sample; a wider row sticks out.
class TextLayout {
 public:
  explicit TextLayout(const Table& sample);
  std::string header() const;
  std::string row(const std::vector<Cell>& row) const;

 private:
  struct Column {
    std::vector<std::string> header;
    size_t width = 0;
    size_t decimals = 0;
    bool right = false;
  };
  std::string line_of(const std::vector<std::string>& cells) const;
  std::vector<Column> columns_;
};

std::string csv_line(const std::vector<Cell>& row);
// Replaces invalid UTF-8, which JSON cannot hold.
std::string json_object(const std::vector<std::string>& names, const std::vector<Cell>& row);
std::vector<std::string> unique_names(const std::vector<std::string>& columns);

}  // namespace wansweep
