// A table of text in aligned columns, for terminals and for pasting into issues.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wansweep {

enum class Align { left, right };

class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell for each column. Control characters are escaped (printable.h).
  void add_row(const std::vector<std::string>& cells);
  std::string to_string() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "1 run", "12 runs".
std::string count_of(int64_t n, const std::string& thing);

// "1.25 GiB", "930 KiB", "0".
std::string human_bytes(double bytes);

// "0:42", "3:07:00".
std::string human_duration(double seconds);

}  // namespace wansweep
