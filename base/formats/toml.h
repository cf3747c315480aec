// toml++ with its assertions off: bad input such as 2=197?-05-27 fails some of them in debug builds, where a parse
// error is wanted. Text from outside goes through parse_toml.
#pragma once

#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include "base/formats/toml_check.h"

#include <string>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

// `name` is the file's name, for errors. Throws bad_input, "NAME:LINE: not TOML: ...", and as check_toml does.
inline toml::table parse_toml(const std::string& text, const std::string& name) {
  check_toml(text, name);
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw bad_input(fmt::format("{}:{}: not TOML: {}", name, error.source().begin.line, error.description()));
  }
}

}  // namespace wansweep
