// machines/NAME.toml: a machine, as people read it and write it by hand, and as `wansweep probe` writes it.
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
// Keys are the members of machine.h, in its units. low and high may be left out together: the value then has no spread.
#pragma once

#include <string>

#include "orchestrator/machines/machine.h"

namespace wansweep {

inline constexpr int64_t machine_file_version = 1;

struct MachineFile {
  Machine machine;
  std::string file;    // as it was found
  std::string digest;  // SHA-256 of its text, in hex: what a prediction was made from
};

// `name` is a name (machines/NAME.toml here, or among those that came with wansweep) or a path of a .toml file. Throws
// bad_input: an unknown name with those there are, and what parse_machine throws.
MachineFile read_machine(const std::string& name);

// Throws bad_input, "FILE:LINE: ...": another version; an unknown key with the nearest; a value that is missing, is of
// another kind, or out of its bounds (numbers are above 0; low <= value <= high).
Machine parse_machine(const std::string& text, const std::string& file);

// Reads back as the same machine, numbers to six digits.
std::string machine_text(const Machine& machine);

}  // namespace wansweep
