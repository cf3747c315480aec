// How the number of repeats follows: with n repeats of each of two ways, whose single runs have a standard deviation s,
// the means tell a difference d apart when d is more than 1.96 s sqrt(2 / n). At least three repeats are asked for,
// since the bootstrap of measured runs needs three, and at most ten.

#include "orchestrator/choose/choose.h"

#include <algorithm>
#include <cmath>

#include "orchestrator/answers/bootstrap.h"

namespace wansweep {
namespace {

constexpr double spread_of_runs = 0.01;  // standard deviation as a share of the total, where repeats do not tell it
constexpr int most_repeats = 10;
constexpr double the_same = 0.001;  // share of the total; ways that differ by no more are not worth a run

Decision decision_of(double low, double high) {
  if (low > 0) return Decision::worse;
  if (high < 0) return Decision::better;
  return Decision::not_decided;
}

// A way's total with an interval. Where it has too few repeats to tell their spread, spread_of_runs is taken.
Estimate total_of(const RankedWay& way) {
  if (way.measured.empty()) return way.prediction.of(Quantity::total);
  if (way.measured.size() >= bootstrap_least) {
    const auto [least, most] = std::ranges::minmax(way.measured);
    return {way.seconds, least, most};
  }
  const double half = 2 * spread_of_runs * way.seconds;
  return {way.seconds, way.seconds - half, way.seconds + half};
}

// The difference of two totals whose errors are independent.
Estimate independent_difference(const Estimate& a, const Estimate& b) {
  const double value = a.value - b.value;
  return {value, value - std::hypot(a.value - a.low, b.high - b.value),
          value + std::hypot(a.high - a.value, b.value - b.low)};
}

// `predictions_hold`: no measured way left its predicted interval.
PairDecision compare(const std::vector<RankedWay>& ways, size_t first, size_t second, bool predictions_hold) {
  const RankedWay &a = ways[first], &b = ways[second];
  PairDecision pair{first, second, Decision::not_decided, false, {}};
  if (const auto interval = bootstrap_difference(b.measured, a.measured)) {
    pair.measured = true;
    pair.difference = {median(a.measured) - median(b.measured), interval->low, interval->high};
  } else if (a.measured.empty() && b.measured.empty()) {
    pair.difference = difference(a.prediction, b.prediction);
  } else {
    pair.difference = independent_difference(total_of(a), total_of(b));
  }
  const bool mixed = a.measured.empty() != b.measured.empty();
  if (predictions_hold || !mixed) pair.decision = decision_of(pair.difference.low, pair.difference.high);
  return pair;
}

RankedWay ranked_way(const OffloadWay& way, const PlannedConfiguration& c, const Prediction& prediction,
                     const MemoryLimits& limits, const MeasuredTotals& measured) {
  RankedWay ranked{way, c.hash, c.problem, prediction, {}, 0};
  if (!ranked.why_not.empty()) return ranked;
  ranked.why_not = what_does_not_fit(prediction, limits);
  if (ranked.why_not.empty() && !prediction.unknown.empty()) ranked.why_not = prediction.unknown;
  if (ranked.why_not.empty() && c.spec.offload != OffloadMode::resident && c.run->moved.in_loop == 0) {
    ranked.why_not = "in this memory it moves nothing while the loop runs, as resident";
  }
  if (const auto found = measured.find(c.hash); found != measured.end()) ranked.measured = found->second;
  ranked.seconds = ranked.measured.empty() ? prediction.of(Quantity::total).value : median(ranked.measured);
  return ranked;
}

// The standard deviation of a way's repeats, as a share of their mean.
double spread_of(const RankedWay& way) {
  if (way.measured.size() < bootstrap_least) return spread_of_runs;
  double mean = 0, squares = 0;
  const auto count = static_cast<double>(way.measured.size());
  for (const double value : way.measured) mean += value / count;
  for (const double value : way.measured) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1)) / mean;
}

bool same(const RankedWay& way, const PairDecision& pair) {
  const double most = std::max(std::abs(pair.difference.low), std::abs(pair.difference.high));
  return most <= the_same * way.seconds;
}

// How many repeats of each way tell the two apart. A result above most_repeats means more than is worth paying for.
double repeats_to_tell(const RankedWay& a, const RankedWay& b, const PairDecision& pair) {
  const double spread = std::max(spread_of(a), spread_of(b)) * a.seconds;
  const double apart = std::abs(pair.difference.value);
  return apart > 0 ? 2 * std::pow(1.96 * spread / apart, 2) : INFINITY;
}

double seconds_with_loading(const RankedWay& way) {
  return way.seconds + way.prediction.store_seconds + way.prediction.of(Quantity::first_load).value;
}

}  // namespace

bool RankedWay::left_its_prediction() const {
  if (measured.empty() || !why_not.empty()) return false;
  const Estimate& predicted = prediction.of(Quantity::total);
  return seconds < predicted.low || seconds > predicted.high;
}

std::string Ranking::why_none() const {
  if (ways.empty() || ways[0].why_not.empty()) return {};
  const bool alike = std::ranges::all_of(ways, [&](const RankedWay& way) { return way.why_not == ways[0].why_not; });
  return alike ? ways[0].why_not : std::string();
}

const PairDecision* Ranking::pair(size_t first, size_t second) const {
  for (const PairDecision& each : pairs) {
    if (each.first == first && each.second == second) return &each;
  }
  return nullptr;
}

std::vector<size_t> Ranking::contenders() const {
  std::vector<size_t> found;
  for (size_t i = 1; i < ways.size(); ++i) {
    const PairDecision* against_first = pair(0, i);
    if (against_first != nullptr && against_first->decision == Decision::not_decided) found.push_back(i);
  }
  if (!found.empty()) found.insert(found.begin(), 0);
  return found;
}

std::vector<Ranking> rank_ways(const Machine& machine, const std::vector<OffloadWay>& ways, const Plan& plan,
                               const MemoryLimits& limits, const MeasuredTotals& measured) {
  const std::vector<Prediction> predictions = predict_all(machine, run_plans(plan));
  std::vector<Ranking> rankings;
  for (size_t i = 0; i < ways.size(); ++i) {
    if (rankings.empty() || rankings.back().ranks != ways[i].ranks) rankings.push_back({ways[i].ranks, 0, {}, {}});
    const PlannedConfiguration& planned = plan.configurations[i];
    if (planned.run) rankings.back().steps = planned.run->settings.steps.value_or(0);
    rankings.back().ways.push_back(ranked_way(ways[i], planned, predictions[i], limits, measured));
  }
  const bool predictions_hold = std::ranges::none_of(rankings, [](const Ranking& ranking) {
    return std::ranges::any_of(ranking.ways, &RankedWay::left_its_prediction);
  });
  for (Ranking& ranking : rankings) {
    std::ranges::stable_sort(ranking.ways, [](const RankedWay& a, const RankedWay& b) {
      return std::pair(!a.why_not.empty(), a.seconds) < std::pair(!b.why_not.empty(), b.seconds);
    });
    for (size_t first = 0; first < ranking.ways.size(); ++first) {
      for (size_t second = first + 1; second < ranking.ways.size(); ++second) {
        if (!ranking.ways[second].why_not.empty()) break;
        ranking.pairs.push_back(compare(ranking.ways, first, second, predictions_hold));
      }
    }
  }
  return rankings;
}

DecidingRuns deciding_runs(const std::vector<Ranking>& rankings) {
  DecidingRuns runs;
  for (const Ranking& ranking : rankings) {
    std::vector<OffloadWay> open;
    double repeats = 0, seconds = 0;
    for (const size_t i : ranking.contenders()) {
      if (i == 0) continue;
      const RankedWay &first = ranking.ways[0], &other = ranking.ways[i];
      const PairDecision& pair = *ranking.pair(0, i);
      const double needed = repeats_to_tell(first, other, pair);
      if (same(first, pair) || (pair.measured && needed > most_repeats)) continue;
      open.push_back(other.way);
      seconds += seconds_with_loading(other);
      repeats = std::max(repeats, needed);
    }
    if (open.empty()) continue;
    runs.costs.push_back({ranking.ranks, seconds + seconds_with_loading(ranking.ways[0])});
    runs.ways.push_back(ranking.ways[0].way);
    runs.ways.insert(runs.ways.end(), open.begin(), open.end());
    runs.may_not_suffice |= repeats > most_repeats;
    const int whole = static_cast<int>(std::ceil(std::min<double>(repeats, most_repeats)));
    runs.repeats = std::max({runs.repeats, static_cast<int>(bootstrap_least), whole});
  }
  for (DecidingRuns::Cost& cost : runs.costs) cost.seconds *= runs.repeats;
  return runs;
}

}  // namespace wansweep
