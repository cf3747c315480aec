// Reading JSON that others may have written: nesting depth is bounded, and every error names the file.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace wansweep {

// Deeper text is refused: the library frees and prints values by recursion.
inline constexpr int most_json_levels = 100;

// Parses `text`. Throws bad_input: "NAME: is not JSON: ...", "NAME: is nested deeper than 100 levels", or "NAME: is a
// git-lfs pointer".
nlohmann::json parse_json(std::string_view text, const std::string& name);

// The same; throws "NAME: is not a JSON object" when the text is valid JSON of another kind.
nlohmann::json parse_json_object(std::string_view text, const std::string& name);

// Reads a file that holds one object. Throws bad_input as above and as read_text does.
nlohmann::json read_json_object(const std::string& file);

// The same; nullopt when there is no such file.
std::optional<nlohmann::json> read_json_object_if_there(const std::string& file);

// The library's message without its prefix ("[json.exception.parse_error.101] "), for an error line.
std::string json_problem(const std::exception& error);

// The nesting depth of the brackets in `text`, outside strings. The text need not be valid JSON.
int json_levels(std::string_view text);

}  // namespace wansweep
