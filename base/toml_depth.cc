#include "base/toml_depth.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {
namespace {

// Where the string that begins at `at` ends: behind its last quote, or at the end of its line or of the text when it is
// never closed, which is no TOML.
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

}  // namespace

void refuse_deep_toml(std::string_view text, const std::string& name) {
  int level = 0, dots = 0;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = end_of_string(text, i);
      continue;
    }
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
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
      throw bad_input(fmt::format("{}:{}: is nested deeper than {} levels", name,
                                  1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n'),
                                  most_toml_levels));
    }
    ++i;
  }
}

}  // namespace wansweep
