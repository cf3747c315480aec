// Finds the text that makes toml++ 3.3 crash, before toml++ parses it: a key of 200,000 parts overflows the stack
// (tables are freed by recursion), and a table header without a key fails an assertion.
#pragma once

#include <string>
#include <string_view>

namespace wansweep {

// The most brackets within brackets, or dots in one key, that are allowed. The files that wansweep reads have two
// levels.
inline constexpr int most_toml_levels = 32;

// Throws bad_input: "NAME:LINE: is nested deeper than 32 levels", or "NAME:LINE: not TOML: ...". Other errors in the
// text are left to the parser.
void check_toml(std::string_view text, const std::string& name);

}  // namespace wansweep
