// A sweep as TOML: [sweep], [base], [matrix], [[include]], [[exclude]], and the configurations that they expand to.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schema/run_settings.h"

namespace wansweep {

// One point of the matrix, not yet resolved: settings that the user left open are open.
struct Configuration {
  RunSettings spec;
  std::string where;  // what it came from, for errors: "jobs/demo.toml:9: matrix", "jobs/demo.toml:31: include"
  // The settings that have a line of their own: "steps" is "jobs/demo.toml:5: base".
  std::shared_ptr<const std::map<std::string, std::string, std::less<>>> places;

  // Where to correct what `message`, which begins with the setting's name, is about.
  const std::string& place_of(std::string_view message) const;
};

struct Sweep {
  std::string file;  // as the user gave it
  std::string text;  // the file's content, kept with the results
  std::string name;
  int repeats = 1;
  std::vector<Configuration> configurations;
};

// `model` and `inputs` are taken relative to the current directory and kept as absolute paths. Throws bad_input naming
// the file, the line and the field.
Sweep read_sweep(const std::string& file);

// The same from TOML text; `file` stands for it in errors.
Sweep parse_sweep(const std::string& text, const std::string& file);

}  // namespace wansweep
