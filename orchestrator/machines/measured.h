// A number with its spread and where it comes from.
#pragma once

#include <string>

namespace wansweep {

// value is the median or the mean of the repeats, or what a source states; 0: the number is not known. low and high are
// the 10th and the 90th percentile of the repeats, or the range that a source states.
struct Measured {
  double value = 0;
  double low = 0;
  double high = 0;
  int samples = 0;     // number of repeats; 0: a source states the value
  std::string origin;  // what was measured or read, in a phrase
  // The name of a shared source of error. Numbers with the same doubt err together: all toward their low ends, or all
  // toward their high ends. A number whose doubt is empty errs independently of all others.
  std::string doubt = {};
  bool known() const { return value > 0; }
  bool operator==(const Measured&) const = default;
};

}  // namespace wansweep
