#include "orchestrator/predict/prediction.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/parallel_for.h"
#include "orchestrator/predict/draw.h"
#include "orchestrator/predict/played_schedule.h"
#include "orchestrator/predict/rank_rates.h"

namespace wansweep {
namespace {

using Values = std::array<double, quantities>;

constexpr double rounding = 1e-9;  // seconds

double& at(Values& values, Quantity quantity) { return values[static_cast<size_t>(quantity)]; }

// As view attempt_time has them.
Values figures_of(const Played& played, const std::optional<int>& switch_step) {
  Values values{};
  std::vector<double> steps;
  for (const PlayedStep& step : played.steps) {
    at(values, Quantity::total) += step.seconds;
    at(values, Quantity::exposed_transfer) += step.exposed;
    steps.push_back(step.seconds);
  }
  at(values, Quantity::first_load) = played.first_load;
  if (steps.empty()) return values;
  std::ranges::sort(steps);
  const double median = (steps[(steps.size() - 1) / 2] + steps[steps.size() / 2]) / 2;
  at(values, Quantity::median_step) = median;
  if (switch_step && *switch_step > 1) {
    const double spike = played.steps[static_cast<size_t>(*switch_step - 1)].seconds - median;
    at(values, Quantity::spike) = std::abs(spike) < rounding ? 0 : spike;
  }
  return values;
}

// Deviations of independent numbers, up and down.
class Spread {
 public:
  void add(double at_low, double at_high) {
    if (std::max(std::abs(at_low), std::abs(at_high)) < rounding) return;
    const double up = std::max({at_low, at_high, 0.0}), down = std::min({at_low, at_high, 0.0});
    up_ += up * up;
    down_ += down * down;
  }
  Estimate around(double value) const { return {value, value - std::sqrt(down_), value + std::sqrt(up_)}; }

 private:
  double up_ = 0, down_ = 0;
};

// That a node holds.
int64_t most_ranks(const Machine& machine, const RunPlan& plan) {
  const bool shares = plan.settings.backend == BackendKind::cpu || plan.settings.share_device;
  return shares ? plan.parallel.ranks : machine.gpus_per_node;
}

std::vector<const Measured*> with_spread(std::vector<const Measured*> asked) {
  std::ranges::sort(asked);
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  std::erase_if(asked, [](const Measured* m) { return m->low == m->high; });
  return asked;
}

}  // namespace

Prediction predict(const Machine& machine, const RunPlan& plan) {
  Prediction prediction;
  prediction.device_bytes = plan.memory.device_total();
  prediction.host_bytes = plan.memory.host_of_node(std::min<int64_t>(plan.parallel.ranks, most_ranks(machine, plan)));
  if (plan.settings.engine != EngineKind::wansweep) {
    prediction.unknown = "a machine's numbers are those of wansweep's own worker, and say nothing of other engines";
    return prediction;
  }
  const std::vector<Use> uses = list_uses(loop_shape(plan, 0));
  const Schedule schedule = schedule_of(plan);
  const auto played_with = [&](Draw& draw) {
    return figures_of(play(schedule, uses, plan.weights, rank_rates(machine, plan, draw)), plan.switch_step);
  };
  try {
    Draw medians;
    prediction.store_seconds = store_seconds(machine, plan, medians);
    medians = Draw();
    const Values values = played_with(medians);
    std::array<Spread, quantities> spreads;
    for (const Measured* moved : with_spread(medians.asked())) {
      Draw low(moved, End::low), high(moved, End::high);
      const Values at_low = played_with(low), at_high = played_with(high);
      for (size_t i = 0; i < quantities; ++i) spreads[i].add(at_low[i] - values[i], at_high[i] - values[i]);
      prediction.influences.push_back({moved, at_low[0] - values[0], at_high[0] - values[0]});
    }
    for (size_t i = 0; i < quantities; ++i) prediction.seconds[i] = spreads[i].around(values[i]);
  } catch (const Error& error) {
    prediction.unknown = error.what();
  }
  return prediction;
}

std::vector<Prediction> predict_all(const Machine& machine, const std::vector<const RunPlan*>& plans) {
  std::vector<Prediction> predictions(plans.size());
  parallel_for(static_cast<int64_t>(plans.size()), [&](int64_t index) {
    const auto i = static_cast<size_t>(index);
    if (plans[i] != nullptr) predictions[i] = predict(machine, *plans[i]);
  });
  return predictions;
}

Estimate difference(const Prediction& a, const Prediction& b) {
  std::map<const Measured*, Influence> moved;
  for (const Influence& each : a.influences) moved[each.of] = each;
  for (const Influence& each : b.influences) {
    Influence& influence = moved[each.of];
    influence.at_low -= each.at_low;
    influence.at_high -= each.at_high;
  }
  Spread spread;
  for (const auto& [number, influence] : moved) spread.add(influence.at_low, influence.at_high);
  return spread.around(a.of(Quantity::total).value - b.of(Quantity::total).value);
}

}  // namespace wansweep
