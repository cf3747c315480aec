// Text is for people: numbers have at most six decimals and are aligned, so a column must be measured before its first
// row is printed. TextLayout measures a sample; header and rows follow. CSV and JSON are for programs: they hold every
// number in full, and need no sample. Cells may come from files of other people. In text, control characters are
// escaped, and a line break cannot split a row; in JSON, invalid UTF-8 is replaced. to_text, to_csv and to_json use
// TableWriter, so that whole tables and streamed ones are written alike.

#include "orchestrator/store/query/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "orchestrator/store/query/table_writer.h"

namespace wansweep {
namespace {

constexpr size_t most_decimals = 6;
constexpr const char* null_text = "-";

std::string plain_text(const Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "";
}

// Wide enough for names and paths.
size_t width(const std::string& text) { return count_characters(text); }

// The number of decimals that the column's numbers need, so that their points are aligned.
size_t decimals_of(const Table& table, size_t column) {
  size_t most = 0;
  for (const auto& row : table.rows) {
    const auto* number = std::get_if<double>(&row[column]);
    if (number == nullptr) continue;
    const std::string text = fmt::format("{}", *number);
    const size_t point = text.find('.');
    if (point != std::string::npos && text.find('e') == std::string::npos)
      most = std::max(most, text.size() - point - 1);
  }
  return std::min(most, most_decimals);
}

std::string shown(const Cell& cell, size_t decimals, const std::string& null) {
  if (std::holds_alternative<std::monostate>(cell)) return null;
  if (const auto* found = std::get_if<double>(&cell)) {
    const double number = *found == 0 ? 0 : *found;  // no "-0.0", which rounding in SQL gives
    const bool extreme = number != 0 && (std::abs(number) >= 1e15 || std::abs(number) < 1e-6);
    return extreme ? fmt::format("{:.6g}", number) : fmt::format("{:.{}f}", number, decimals);
  }
  std::string text = plain_text(cell);
  // A line break would split the row.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return printable(text);
}

// Breaks "median_step_ms" into lines no wider than its longest word or the column's cells, so that long names do not
// make columns wide.
std::vector<std::string> header_lines(const std::string& name, size_t cells) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('_', begin), name.size());
    words.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  size_t most = cells;
  for (const std::string& word : words) most = std::max(most, width(word));
  std::vector<std::string> lines{words[0]};
  for (size_t i = 1; i < words.size(); ++i) {
    if (width(lines.back()) + 1 + width(words[i]) <= most) {
      lines.back() += '_' + words[i];
    } else {
      lines.push_back(words[i]);
    }
  }
  return lines;
}

std::string quoted_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

std::vector<std::vector<std::string>> shown_cells(const Table& table, const std::string& null) {
  std::vector<std::vector<std::string>> cells(table.rows.size(), std::vector<std::string>(table.columns.size()));
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const size_t decimals = decimals_of(table, c);
    for (size_t r = 0; r < table.rows.size(); ++r) cells[r][c] = shown(table.rows[r][c], decimals, null);
  }
  return cells;
}

bool is_numeric(const Table& table, size_t column) {
  return !table.rows.empty() && std::none_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    return std::holds_alternative<std::string>(row[column]);
  });
}

TextLayout::TextLayout(const Table& sample) {
  const std::vector<std::vector<std::string>> cells = shown_cells(sample, null_text);
  for (size_t c = 0; c < sample.columns.size(); ++c) {
    Column& column = columns_.emplace_back();
    column.right = is_numeric(sample, c);
    column.decimals = decimals_of(sample, c);
    for (const auto& row : cells) column.width = std::max(column.width, width(row[c]));
    column.header = header_lines(printable(sample.columns[c]), column.width);
    for (const std::string& line : column.header) column.width = std::max(column.width, width(line));
  }
}

std::string TextLayout::header() const {
  size_t height = 1;
  for (const Column& column : columns_) height = std::max(height, column.header.size());
  std::string text;
  for (size_t i = 0; i < height; ++i) {
    std::vector<std::string> line(columns_.size());
    // The last line stands on the rule.
    for (size_t c = 0; c < columns_.size(); ++c) {
      const size_t empty = height - columns_[c].header.size();
      if (i >= empty) line[c] = columns_[c].header[i - empty];
    }
    text += line_of(line);
  }
  std::vector<std::string> rule;
  rule.reserve(columns_.size());
  for (const Column& column : columns_) rule.emplace_back(column.width, '-');
  return text + line_of(rule);
}

std::string TextLayout::row(const std::vector<Cell>& row) const {
  std::vector<std::string> cells;
  cells.reserve(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) cells.push_back(shown(row[c], columns_[c].decimals, null_text));
  return line_of(cells);
}

std::string TextLayout::line_of(const std::vector<std::string>& cells) const {
  std::string line;
  for (size_t c = 0; c < columns_.size(); ++c) {
    const size_t there = width(cells[c]);
    const std::string pad(columns_[c].width > there ? columns_[c].width - there : 0, ' ');
    if (c > 0) line += "  ";
    line += columns_[c].right ? pad + cells[c] : cells[c] + pad;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string csv_line(const std::vector<Cell>& row) {
  std::string line;
  for (size_t c = 0; c < row.size(); ++c) line += (c > 0 ? "," : "") + quoted_csv(plain_text(row[c]));
  return line + "\r\n";
}

std::string json_object(const std::vector<std::string>& names, const std::vector<Cell>& row) {
  auto object = nlohmann::ordered_json::object();
  for (size_t c = 0; c < row.size(); ++c) {
    nlohmann::ordered_json& value = object[names[c]];
    if (const auto* integer = std::get_if<int64_t>(&row[c])) value = *integer;
    if (const auto* number = std::get_if<double>(&row[c])) value = *number;
    if (const auto* string = std::get_if<std::string>(&row[c])) value = *string;
  }
  return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::vector<std::string> unique_names(const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& column : columns) {
    std::string name = column;
    for (int n = 1; std::find(names.begin(), names.end(), name) != names.end(); ++n)
      name = fmt::format("{}:{}", column, n);
    names.push_back(std::move(name));
  }
  return names;
}

namespace {

std::string written(TableFormat format, const Table& table) {
  std::string text;
  TableWriter writer(format, [&](std::string_view part) { text += part; });
  writer.columns(table.columns);
  for (const auto& row : table.rows) writer.row(row);
  writer.finish();
  return text;
}

}  // namespace

std::string to_text(const Table& table) { return written(TableFormat::text, table); }
std::string to_csv(const Table& table) { return written(TableFormat::csv, table); }
std::string to_json(const Table& table) { return written(TableFormat::json, table); }

}  // namespace wansweep
