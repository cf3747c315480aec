#include "orchestrator/store/sums/told_rates.h"

#include <algorithm>

namespace wansweep {
namespace {

constexpr double rounding = 1e-3;  // of a rate: links and clocks work in small steps

bool is_narrow(double value, double half_width) { return half_width <= most_half_width * value; }

std::optional<FittedRate> told_rate(const FittedCondition& condition, double mean, double fastest, bool only_one) {
  const double s = condition.share;
  if (s < least_share) return std::nullopt;
  const double least = std::max(0.0, (mean - (1 - s) * fastest) / s);
  const double most = std::min(fastest, mean / s);
  if (condition.fit && condition.fit->value > 0) {
    const FittedRate& fit = *condition.fit;
    // The rate of the only condition is all bytes over all time, which is exact also without an interval.
    const bool narrow = fit.half_width ? is_narrow(fit.value, *fit.half_width) : only_one;
    if (narrow && fit.value >= least * (1 - rounding) && fit.value <= most * (1 + rounding)) return fit;
  }
  const FittedRate middle{(least + most) / 2, (most - least) / 2};
  return is_narrow(middle.value, *middle.half_width) ? std::optional(middle) : std::nullopt;
}

}  // namespace

std::vector<std::optional<FittedRate>> told_rates(const std::vector<FittedCondition>& conditions, double mean,
                                                  double fastest) {
  std::vector<std::optional<FittedRate>> told;
  for (const FittedCondition& each : conditions) {
    told.push_back(told_rate(each, mean, fastest, conditions.size() == 1));
  }
  return told;
}

}  // namespace wansweep
