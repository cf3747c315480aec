// toml++, without its assertions: bad input can fail some of them in debug builds (2=197?-05-27), where it would end in
// an error otherwise. Text that others wrote goes through parse_toml.
#pragma once

#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include "base/toml_check.h"

#include <string>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

// `name` is the file's, for errors. Throws bad_input, "NAME:LINE: not TOML: ...", also for what check_toml refuses.
inline toml::table parse_toml(const std::string& text, const std::string& name) {
  check_toml(text, name);
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw bad_input(fmt::format("{}:{}: not TOML: {}", name, error.source().begin.line, error.description()));
  }
}

}  // namespace wansweep
