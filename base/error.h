// One exception for every expected failure: an exit code from the table in exit_codes.h, and one line for a person.
//
// The line names the thing, the value and what would be right: "jobs/demo.toml: base.steps is 0; at least 1 is needed".
#pragma once

#include <stdexcept>
#include <string>

#include "base/exit_codes.h"

namespace wansweep {

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& line) : std::runtime_error(line), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// The usual case: what the user gave cannot be used.
inline Error bad_input(const std::string& line) { return {ExitCode::bad_input, line}; }

}  // namespace wansweep
