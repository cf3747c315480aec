#include "orchestrator/machines/spread.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace wansweep {
namespace {

constexpr double low_share = 0.1, high_share = 0.9;

double percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Measured spread_of(std::vector<double> values, const std::string& origin) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {percentile(values, 0.5), percentile(values, low_share), percentile(values, high_share),
          static_cast<int>(values.size()), origin};
}

Measured mean_with_spread(const std::vector<double>& values, const std::string& origin) {
  Measured mean = spread_of(values, origin);
  if (!mean.known()) return mean;
  mean.value = 0;
  for (const double value : values) {
    mean.value += std::clamp(value, mean.low, mean.high) / static_cast<double>(values.size());
  }
  return mean;
}

Measured above_zero(Measured measured) {
  constexpr double least = 1e-3;  // share of the value below which the low end is raised
  if (!measured.known()) return {};
  measured.low = std::max(measured.low, least * measured.value);
  return measured;
}

Measured rate_of(double amount, const Measured& seconds) {
  if (!seconds.known()) return {};
  return {amount / seconds.value, amount / seconds.high, amount / seconds.low, seconds.samples, seconds.origin};
}

Line fit_line(std::span<const Point> points) {
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  for (const Point& point : points) {
    const double weight = 1 / (point.y * point.y);
    w += weight;
    wx += weight * point.x;
    wy += weight * point.y;
    wxx += weight * point.x * point.x;
    wxy += weight * point.x * point.y;
  }
  const double determinant = w * wxx - wx * wx;
  const Line through_zero{0, wxx > 0 ? wxy / wxx : 0};
  if (points.size() < 2 || determinant <= 1e-12 * w * wxx) return through_zero;
  const Line line{(wy * wxx - wx * wxy) / determinant, (w * wxy - wx * wy) / determinant};
  if (line.slope <= 0) return {wy / w, 0};
  return line.at_zero < 0 ? through_zero : line;
}

}  // namespace wansweep
