// Converts cells of an answer to values, and values to SQL.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/store/query/table.h"

namespace wansweep {

// A text as an SQL literal: run_query takes no parameters.
inline std::string sql_text(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + '\'';
}

// The cell's text; empty when it holds none.
inline std::string text_of(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? *text : "";
}

// The cell's number; nullopt when it holds none.
inline std::optional<double> number_of(const Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  return std::nullopt;
}

inline std::optional<int64_t> integer_of(const Cell& cell) {
  const auto* integer = std::get_if<int64_t>(&cell);
  return integer != nullptr ? std::optional(*integer) : std::nullopt;
}

}  // namespace wansweep
