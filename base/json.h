// Reading JSON that others may have written: whole, of bounded depth, and with the file's name in every error.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace wansweep {

// Deeper text is refused: JSON values are freed and printed by recursion.
inline constexpr int most_json_levels = 100;

// Throws bad_input: "NAME: is not JSON: ...", "NAME: is nested deeper than 100 levels", or "NAME: is a pointer of
// git-lfs".
nlohmann::json parse_json(std::string_view text, const std::string& name);

// The same, and an object: "NAME: is not a JSON object".
nlohmann::json parse_json_object(std::string_view text, const std::string& name);

// A file that holds one object. Throws bad_input as above and as read_text does.
nlohmann::json read_json_object(const std::string& file);

// nullopt: there is no such file. Everything else that keeps it from being read is bad_input.
std::optional<nlohmann::json> read_json_object_if_there(const std::string& file);

// What the library says is wrong, without its own mark ("[json.exception.parse_error.101] "): for an error's line.
std::string json_problem(const std::exception& error);

// Levels of brackets in `text`, outside its strings. It need not be valid.
int json_levels(std::string_view text);

}  // namespace wansweep
