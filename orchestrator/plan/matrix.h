// Reads a sweep from TOML ([sweep], [base], [matrix], [[include]], [[exclude]]) and expands it to its configurations.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schema/run_settings.h"

namespace wansweep {

// One point of the matrix. It is not resolved yet: settings that the user left open are open.
struct Configuration {
  RunSettings spec;
  std::string where;  // its place, for errors: "jobs/demo.toml:9: matrix", "jobs/demo.toml:31: include"
  // The places of single settings: for "steps" "jobs/demo.toml:5: base".
  std::shared_ptr<const std::map<std::string, std::string, std::less<>>> places;

  // The place to correct for `message`, which begins with a setting's name, or with the path that is its value.
  const std::string& place_of(std::string_view message) const;
};

struct Sweep {
  std::string file;  // as the user gave it
  std::string text;  // the file's content, kept with the results
  std::string name;
  int repeats = 1;
  std::vector<Configuration> configurations;
};

// Relative paths in `model` and `inputs` count from the current directory, and are kept as absolute paths. Throws
// bad_input naming the file, the line and the field.
Sweep read_sweep(const std::string& file);

// The same from TOML text; `file` is the file's name, for errors.
Sweep parse_sweep(const std::string& text, const std::string& file);

}  // namespace wansweep
