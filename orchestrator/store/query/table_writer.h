// Prints an answer row by row, so that it need not fit into memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/store/query/table.h"

namespace wansweep {

enum class TableFormat : uint8_t { text, csv, json };

class TableWriter {
 public:
  // `out` receives the text in pieces; its exceptions are passed on.
  TableWriter(TableFormat format, std::function<void(std::string_view)> out);

  void columns(std::vector<std::string> names);  // to be called once, before the rows
  void row(std::vector<Cell> row);
  void finish();  // to be called after the last row
  size_t rows() const { return rows_; }

 private:
  void lay_out();

  TableFormat format_;
  std::function<void(std::string_view)> out_;
  std::vector<std::string> names_;
  Table sample_;                      // text: the first rows, which set the columns' widths
  std::optional<TextLayout> layout_;  // text: once the sample is full
  size_t rows_ = 0;
};

}  // namespace wansweep
