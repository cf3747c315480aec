// Checks of numbers on the command line, for CLI::Option::check. A refusal names the option, the value and what is
// possible: "--jobs: 0 is not possible; a whole number from 1 to 64 is needed". CLI11's own ranges print their limits
// with hundreds of digits.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace wansweep {

// A whole number from `least` to `most`, both included.
CLI::Validator whole_number(int64_t least, int64_t most = std::numeric_limits<int64_t>::max());

// A number from `least` to `most`, both included.
CLI::Validator number_from(double least, double most);

// A number above `least` and at most `most`.
CLI::Validator number_above(double least, double most = std::numeric_limits<double>::infinity());

}  // namespace wansweep
