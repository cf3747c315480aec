// How deep TOML text is nested, found before it is parsed: a parser's tables are freed by recursion, and a key of
// 200,000 parts would overflow the stack.
#pragma once

#include <string>
#include <string_view>

namespace wansweep {

// Brackets within brackets, and dots in one key. What is read as TOML here has two levels.
inline constexpr int most_toml_levels = 32;

// Throws bad_input: "NAME:LINE: is nested deeper than 32 levels". The text need not be valid TOML.
void refuse_deep_toml(std::string_view text, const std::string& name);

}  // namespace wansweep
