#include "base/formats/toml_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Where the string that begins at `at` ends: after its closing quote. Of a string that is never closed (not valid
// TOML): at the end of its line, or of the text.
size_t end_of_string(std::string_view text, size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool long_form = text.substr(at, 3) == three;
  size_t i = at + (long_form ? 3 : 1);
  for (; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (!long_form && (text[i] == quote || text[i] == '\n')) {
      return i + 1;
    } else if (long_form && text.substr(i, 3) == three) {
      i += 3;
      for (int more = 0; more < 2 && i < text.size() && text[i] == quote; ++more) ++i;  // """a"""""
      return i;
    }
  }
  return text.size();
}

bool may_begin_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '"' || c == '\'';
}

// Whether the bracket at `at`, the first of its line, opens a table header that has no key.
bool lacks_key(std::string_view text, size_t at) {
  const auto skip_blanks = [&] { at = std::min(text.find_first_not_of(" \t", at), text.size()); };
  ++at;
  skip_blanks();
  if (at < text.size() && text[at] == '[') ++at;
  skip_blanks();
  return at < text.size() && text[at] != ']' && !may_begin_key(text[at]);
}

}  // namespace

void check_toml(std::string_view text, const std::string& name) {
  const auto refuse = [&](size_t at, const std::string& why) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return bad_input(fmt::format("{}:{}: {}", name, line, why));
  };
  int level = 0, dots = 0;
  bool line_begins = true;
  for (size_t i = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = end_of_string(text, i);
      line_begins = text[i - 1] == '\n';
      continue;
    }
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      throw refuse(i, "not TOML: outside strings and comments, only ASCII characters are allowed; quote the text");
    }
    if (c == '[' && line_begins && level == 0 && lacks_key(text, i)) {
      throw refuse(i, "not TOML: a table's name is needed after [");
    }
    if (c == '.') {
      ++dots;
    } else if (c == '[' || c == '{') {
      ++level;
      dots = 0;
    } else if (c == ']' || c == '}') {
      level = std::max(0, level - 1);
      dots = 0;
    } else if (c == '\n' || c == '=' || c == ',') {
      dots = 0;
    }
    if (level > most_toml_levels || dots > most_toml_levels) {
      throw refuse(i, fmt::format("is nested deeper than {} levels", most_toml_levels));
    }
    line_begins = c == '\n' || (line_begins && (c == ' ' || c == '\t' || c == '\r'));
    ++i;
  }
}

}  // namespace wansweep
