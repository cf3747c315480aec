// A number with its spread and where it comes from.
#pragma once

#include <string>

namespace wansweep {

// low .. high: from the 10th to the 90th percentile of the repeats, or the range that a source states. A value of 0 is
// one that is not known.
struct Measured {
  double value = 0;
  double low = 0;
  double high = 0;
  int samples = 0;     // repeats; 0: a source states it
  std::string origin;  // what was done or read, in a phrase
  // Numbers that name the same doubt are off together, all toward their low ends or all toward their high ends. A
  // number that names none is off by itself.
  std::string doubt = {};
  bool known() const { return value > 0; }
  bool operator==(const Measured&) const = default;
};

}  // namespace wansweep
