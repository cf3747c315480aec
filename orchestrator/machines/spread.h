// From repeats to a value with its spread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "orchestrator/machines/machine.h"

namespace wansweep {

// The median and the 10th and 90th percentile, by linear interpolation. Nothing known for no values.
Measured spread_of(std::vector<double> values, const std::string& origin);

// The same, where its lowest is above 0 as a machine's file needs it; nothing known where the value is not.
Measured above_zero(Measured measured);

// A rate from seconds: `amount` a second, fastest and slowest changed over.
Measured rate_of(double amount, const Measured& seconds);

// y = at_zero + slope x through points of unlike size, so that each counts by how far it is off in parts of its y. At
// zero or above at both ends: where the best line would begin below 0, the best through 0 is taken.
struct Line {
  double at_zero = 0;
  double slope = 0;
};
struct Point {
  double x = 0;
  double y = 0;
};
Line fit_line(std::span<const Point> points);

}  // namespace wansweep
