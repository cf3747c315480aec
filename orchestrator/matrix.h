// A sweep as TOML: [sweep], [base], [matrix], [[include]], [[exclude]], and the configurations that they expand to.
#pragma once

#include <string>
#include <vector>

#include "schema/run_spec.h"

namespace wansweep {

// One point of the matrix, not yet resolved: settings that the user left open are open.
struct Configuration {
  RunSpec spec;
  std::string where;  // what it came from, for errors: "jobs/demo.toml:9: matrix", "jobs/demo.toml:31: include"
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
