#include "base/json.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/downloaded_file.h"
#include "base/error.h"
#include "base/files.h"

namespace wansweep {

using nlohmann::json;

int json_levels(std::string_view text) {
  int level = 0, most = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        inside = false;
      }
    } else if (c == '"') {
      inside = true;
    } else if (c == '[' || c == '{') {
      most = std::max(most, ++level);
    } else if (c == ']' || c == '}') {
      --level;
    }
  }
  return most;
}

std::string json_problem(const std::exception& error) {
  const std::string_view text = error.what();
  const size_t mark = text.starts_with("[json.exception.") ? text.find("] ") : text.npos;
  return std::string(mark == text.npos ? text : text.substr(mark + 2));
}

json parse_json(std::string_view text, const std::string& name) {
  refuse_lfs_pointer(text, name);
  if (json_levels(text) > most_json_levels) {
    throw bad_input(fmt::format("{}: is nested deeper than {} levels", name, most_json_levels));
  }
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    throw bad_input(fmt::format("{}: is not JSON: {}", name, json_problem(error)));
  }
}

json parse_json_object(std::string_view text, const std::string& name) {
  json value = parse_json(text, name);
  if (!value.is_object()) throw bad_input(fmt::format("{}: is not a JSON object", name));
  return value;
}

json read_json_object(const std::string& file) { return parse_json_object(read_text(file), file); }

std::optional<json> read_json_object_if_there(const std::string& file) {
  const std::optional<std::string> text = read_text_if_there(file);
  if (!text) return std::nullopt;
  return parse_json_object(*text, file);
}

}  // namespace wansweep
