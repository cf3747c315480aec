// What keeps toml++ (3.3) from an error that could be reported, found before it parses: tables are freed by recursion,
// so that a key of 200,000 parts overflows the stack; and a table's header without a key fails an assertion.
#pragma once

#include <string>
#include <string_view>

namespace wansweep {

// Brackets within brackets, and dots in one key. What is read as TOML here has two levels.
inline constexpr int most_toml_levels = 32;

// Throws bad_input: "NAME:LINE: is nested deeper than 32 levels", or "NAME:LINE: not TOML: ...". The text need not be
// valid otherwise; most of what is wrong with it is left to the parser.
void check_toml(std::string_view text, const std::string& name);

}  // namespace wansweep
