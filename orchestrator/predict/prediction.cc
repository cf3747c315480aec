// A run is played once with every number at its median, and twice more for each number of the machine, at either end of
// its spread. The doubt of the play is in factors of what was played, so that it asks for no further play.

#include "orchestrator/predict/prediction.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/parallel_for.h"
#include "orchestrator/predict/draw.h"
#include "orchestrator/predict/played_schedule.h"
#include "orchestrator/predict/rank_rates.h"

namespace wansweep {
namespace {

using Values = std::array<double, quantities>;

constexpr double rounding = 1e-9;     // seconds; smaller differences are taken for rounding
constexpr double least_spike = 1e-3;  // share of the median step; a spike below it is where copies happened to fall

double& at(Values& values, Quantity quantity) { return values[static_cast<size_t>(quantity)]; }

// The predicted quantities of a played run, defined as in the results database's view attempt_time.
Values figures_of(const Played& played, const std::optional<int>& switch_step, const PlayDoubt& doubt, Draw& draw) {
  const auto factor = [&draw](const Measured& of) { return of.known() ? draw(of) : 1; };
  const double of_steps = factor(doubt.loop) * factor(doubt.way);
  const double of_copies = factor(doubt.copies), waiting = factor(doubt.waiting) - 1;
  Values values{};
  std::vector<double> steps;
  for (const PlayedStep& step : played.steps) {
    steps.push_back(of_steps * step.seconds);
    at(values, Quantity::total) += steps.back();
    at(values, Quantity::exposed_transfer) += of_copies * step.exposed + waiting * step.hidden;
  }
  at(values, Quantity::first_load) = of_copies * played.first_load;
  if (steps.empty()) return values;
  std::ranges::sort(steps);
  const double median = (steps[(steps.size() - 1) / 2] + steps[steps.size() / 2]) / 2;
  at(values, Quantity::median_step) = median;
  if (switch_step && *switch_step > 1) {
    const double spike = of_steps * played.steps[static_cast<size_t>(*switch_step - 1)].seconds - median;
    at(values, Quantity::spike) = std::abs(spike) < least_spike * median ? 0 : of_copies * spike;
    at(values, Quantity::spike) += (factor(doubt.one_step) - 1) * median;
  }
  return values;
}

// Combines the deviations that independent numbers cause, those upward and those downward apart.
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

// The most ranks of the run that one node holds.
int64_t most_ranks(const Machine& machine, const RunPlan& plan) {
  const bool shares = plan.settings.backend == BackendKind::cpu || plan.settings.share_device;
  return shares ? plan.parallel.ranks : machine.gpus_per_node;
}

// The numbers that have a spread, each once; of those that share a doubt, only one.
std::vector<const Measured*> with_spread(std::vector<const Measured*> asked) {
  std::ranges::sort(asked);
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  std::erase_if(asked, [](const Measured* m) { return m->low == m->high; });
  std::vector<const Measured*> one_of_each;
  for (const Measured* each : asked) {
    const auto together = [each](const Measured* other) { return off_together(*each, *other); };
    if (std::ranges::none_of(one_of_each, together)) one_of_each.push_back(each);
  }
  return one_of_each;
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
    return play(schedule, uses, plan.weights, rank_rates(machine, plan, draw));
  };
  const auto figures_with = [&](const Played& played, Draw draw = {}) {
    return figures_of(played, plan.switch_step, machine.play_doubt, draw);
  };
  try {
    Draw medians, factors;
    prediction.store_seconds = store_seconds(machine, plan, medians);
    medians = Draw();
    const Played played = played_with(medians);
    Values values = figures_of(played, plan.switch_step, machine.play_doubt, factors);
    std::array<Spread, quantities> spreads;
    const auto add = [&](const Measured* moved, const Values& at_low, const Values& at_high) {
      for (size_t i = 0; i < quantities; ++i) spreads[i].add(at_low[i] - values[i], at_high[i] - values[i]);
      prediction.influences.push_back(
          {moved, at_low[0] - values[0], at_high[0] - values[0], moved == &machine.play_doubt.way});
    };
    for (const Measured* moved : with_spread(medians.asked())) {
      Draw low(moved, End::low), high(moved, End::high);
      add(moved, figures_with(played_with(low)), figures_with(played_with(high)));
    }
    for (const Measured* moved : with_spread(factors.asked())) {
      add(moved, figures_with(played, Draw(moved, End::low)), figures_with(played, Draw(moved, End::high)));
    }
    for (const Quantity quantity : values_of<Quantity>()) {
      Estimate& seconds = prediction.seconds[static_cast<size_t>(quantity)];
      seconds = spreads[static_cast<size_t>(quantity)].around(at(values, quantity));
      if (quantity != Quantity::spike) seconds.low = std::max(seconds.low, 0.0);  // only a spike can be below 0
    }
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
  Spread spread;
  std::vector<Influence> moved;
  for (const Prediction* of : {&a, &b}) {
    const double sign = of == &a ? 1 : -1;
    for (const Influence& each : of->influences) {
      const Influence signed_one{each.of, sign * each.at_low, sign * each.at_high, each.own};
      if (each.own) {
        spread.add(signed_one.at_low, signed_one.at_high);
        continue;
      }
      const auto same = std::ranges::find_if(moved, [&](const Influence& m) { return off_together(*m.of, *each.of); });
      if (same == moved.end()) {
        moved.push_back(signed_one);
      } else {
        same->at_low += signed_one.at_low;
        same->at_high += signed_one.at_high;
      }
    }
  }
  for (const Influence& influence : moved) spread.add(influence.at_low, influence.at_high);
  return spread.around(a.of(Quantity::total).value - b.of(Quantity::total).value);
}

}  // namespace wansweep
