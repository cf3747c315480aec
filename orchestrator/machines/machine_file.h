// Reads and writes machines/NAME.toml, the file of one machine. `wansweep probe` writes such files, and people do.
//
//   version = 1
//   name = "aces"
//   source = "facts"
//   ...
//   [[links.copies]]
//   way = "in"
//   memory = "pinned"
//   ranks = 4
//   beside = "exchange"
//   gb_per_second = { value = 7.9, low = 7.5, high = 8.3, samples = 0, origin = "the study's profiler" }
//
// Its keys are the members of the structs in machine.h, in the same units. low and high may be left out together: the
// value then has no spread.
#pragma once

#include <string>

#include "orchestrator/machines/machine.h"

namespace wansweep {

inline constexpr int64_t machine_file_version = 1;

struct MachineFile {
  Machine machine;
  std::string file;    // path at which it was found
  std::string digest;  // SHA-256 of the file's text, in hex; predictions keep it
};

// `name` is the path of a .toml file, or a machine's name: machines/NAME.toml is then looked for in the current
// directory, and after that among the files installed with wansweep. Throws bad_input for an unknown name, with a list
// of the known ones, and whatever parse_machine throws.
MachineFile read_machine(const std::string& name);

// `file` is named in errors. Throws bad_input, "FILE:LINE: ...", for a file of another version; for an unknown key,
// with the known key nearest to it; and for a value that is missing, of the wrong kind, or out of bounds (numbers must
// be above 0, and low <= value <= high).
Machine parse_machine(const std::string& text, const std::string& file);

// The text of a machine's file. parse_machine makes the same machine of it, except that numbers keep six digits.
std::string machine_text(const Machine& machine);

}  // namespace wansweep
