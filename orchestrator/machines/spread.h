// Makes a value with its spread (measured.h) of repeated measurements.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "orchestrator/machines/machine.h"

namespace wansweep {

// The median, and the 10th and 90th percentile by linear interpolation. The result is unknown when `values` is empty.
Measured spread_of(std::vector<double> values, const std::string& origin);

// Like spread_of, with the mean in place of the median: for times that a run adds up, such as those of its blocks. A
// value below the 10th or above the 90th percentile counts as that percentile, so that one disturbed repeat does not
// decide the mean.
Measured mean_with_spread(const std::vector<double>& values, const std::string& origin);

// `measured` with its low end raised above 0 where needed, since a machine's file takes only numbers above 0. The
// result is unknown when the value itself is not above 0.
Measured above_zero(Measured measured);

// The rate `amount` / `seconds`. The high end of the rate comes from the low end of the seconds, and the reverse.
Measured rate_of(double amount, const Measured& seconds);

// y = at_zero + slope x, fitted to points whose y differ by orders of magnitude: least squares of the errors relative
// to y. Neither member is below 0: where the best line has at_zero below 0, the best line through 0 is taken instead.
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
