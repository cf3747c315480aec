#include "orchestrator/store/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace wansweep {
namespace {

constexpr size_t most_decimals = 6;

std::string plain_text(const Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "";
}

// Code points: good for names and paths, which is what text columns hold.
size_t width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Decimals that the column's numbers need, so that their points stand below each other.
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
  // A line break would tear the row apart.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return text;
}

// "median_step_ms" in lines no wider than its longest word or the column's cells: names that say all need not be wide.
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

std::string to_text(const Table& table) {
  const size_t columns = table.columns.size();
  std::vector<size_t> widths(columns);
  std::vector<bool> right(columns);
  std::vector<std::vector<std::string>> headers(columns);
  size_t header_height = 1;
  const std::vector<std::vector<std::string>> cells = shown_cells(table, "-");
  for (size_t c = 0; c < columns; ++c) {
    right[c] = is_numeric(table, c);
    for (const auto& row : cells) widths[c] = std::max(widths[c], width(row[c]));
    headers[c] = header_lines(table.columns[c], widths[c]);
    for (const std::string& line : headers[c]) widths[c] = std::max(widths[c], width(line));
    header_height = std::max(header_height, headers[c].size());
  }
  std::string text;
  const auto add_line = [&](const std::vector<std::string>& line) {
    std::string out;
    for (size_t c = 0; c < columns; ++c) {
      const std::string pad(widths[c] - width(line[c]), ' ');
      if (c > 0) out += "  ";
      out += right[c] ? pad + line[c] : line[c] + pad;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    text += out + '\n';
  };
  for (size_t i = 0; i < header_height; ++i) {
    std::vector<std::string> line(columns);
    // The last line stands on the rule.
    for (size_t c = 0; c < columns; ++c) {
      const size_t empty = header_height - headers[c].size();
      if (i >= empty) line[c] = headers[c][i - empty];
    }
    add_line(line);
  }
  std::vector<std::string> rule;
  rule.reserve(widths.size());
  for (const size_t w : widths) rule.emplace_back(w, '-');
  add_line(rule);
  for (const auto& row : cells) add_line(row);
  return text;
}

std::string to_csv(const Table& table) {
  std::string text;
  for (size_t c = 0; c < table.columns.size(); ++c) text += (c > 0 ? "," : "") + quoted_csv(table.columns[c]);
  text += "\r\n";
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) text += (c > 0 ? "," : "") + quoted_csv(plain_text(row[c]));
    text += "\r\n";
  }
  return text;
}

std::string to_json(const Table& table) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& row : table.rows) {
    auto object = nlohmann::ordered_json::object();
    for (size_t c = 0; c < row.size(); ++c) {
      nlohmann::ordered_json& value = object[table.columns[c]];
      if (const auto* integer = std::get_if<int64_t>(&row[c])) value = *integer;
      if (const auto* number = std::get_if<double>(&row[c])) value = *number;
      if (const auto* string = std::get_if<std::string>(&row[c])) value = *string;
    }
    list.push_back(std::move(object));
  }
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace wansweep
