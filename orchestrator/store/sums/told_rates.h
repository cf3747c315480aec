// Which rates do the events of one kind tell? A fit always gives numbers; this keeps those that the events support.
#pragma once

#include <optional>
#include <vector>

#include "orchestrator/store/sums/rate_fit.h"

namespace wansweep {

// A rate is told when half of its interval is at most this share of it.
inline constexpr double most_half_width = 0.15;

// A condition with less than this share of the time of its kind is given no rate.
inline constexpr double least_share = 0.01;

// One condition of a fit.
struct FittedCondition {
  double share = 0;               // of the time of all events of the kind, over all conditions of the fit
  std::optional<FittedRate> fit;  // nullopt: not determined
};

// The rates that are told, by condition; in the unit of `mean` (all bytes over all time) and `fastest` (that of the
// fastest event).
//
// All bytes over all time is the mean of the conditions' rates, weighted by their shares, and no condition is taken to
// be faster than the fastest event. So a condition with share s has at least (mean - (1 - s) fastest) / s, and at most
// mean / s and `fastest`. A fitted rate is told when its interval is narrow and these bounds hold it. Otherwise, where
// the bounds are narrow enough themselves, their middle is told, with half of their distance: where nearly all copies
// overlap exchanges for the same 5 % of their time (as on four H200 with NVLink), no fit can tell the rate in those
// 5 %, but the rate in the other 95 % is known to a few percent. A fit's other rates are never taken as given for this.
std::vector<std::optional<FittedRate>> told_rates(const std::vector<FittedCondition>& conditions, double mean,
                                                  double fastest);

}  // namespace wansweep
