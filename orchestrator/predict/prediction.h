// Predicts how long a run takes on a machine. Each figure has an interval, which follows from the spreads of the
// machine's numbers. A prediction is stored and shown as a prediction, never as a measurement.
//
// An interval is made as follows. The run is played (played_schedule.h) with all numbers at their medians. Then it is
// played twice for each number that it depends on: with that number at the low and at the high end of its spread (the
// 10th and 90th percentile), and the others at their medians. The deviations upward are combined as independent errors,
// by the root of the sum of their squares, and so are those downward. The result is exact to first order. It assumes
// that a number is off by the same amount during the whole run, as on a machine that is slower today than when it was
// probed. What the play itself leaves out, above all differences between ranks, enters as numbers of its own
// (play_doubt.h). The interval does not cover a network or a host that other programs use at the same time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/enum_names.h"
#include "orchestrator/machines/machine.h"
#include "schema/run_plan.h"

namespace wansweep {

struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
};

// The predicted times of a run, in seconds, defined as in the results database.
enum class Quantity : uint8_t {
  total,  // all steps together
  median_step,
  spike,  // the switch step less the median step; 0 where the experts do not switch, and below a thousandth of that
  exposed_transfer,  // the time within steps in which copies run and nothing is computed
  first_load,        // copies before step 1; not part of the total
};
constexpr std::string_view name_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::total:
      return "total";
    case Quantity::median_step:
      return "median_step";
    case Quantity::spike:
      return "spike";
    case Quantity::exposed_transfer:
      return "exposed_transfer";
    case Quantity::first_load:
      return "first_load";
  }
  return {};
}
inline constexpr int quantities = 5;

// How far the total moves when one of the machine's numbers, with all that share its doubt, goes from its median to an
// end of its spread.
struct Influence {
  const Measured* of = nullptr;  // the number; points into the machine
  double at_low = 0;             // seconds added to the total with the number at its low end; may be negative
  double at_high = 0;
  bool own = false;  // the number errs by itself in each run: another run may be off the other way
};

struct Prediction {
  std::string unknown;  // why there is no prediction, such as a number that the machine lacks; empty: there is one
  Estimate seconds[quantities];  // by Quantity
  double store_seconds = 0;      // filling and pinning the host's store of weights, before the loop
  std::vector<Influence> influences;
  // Bytes of memory that the run's plan allots; exact.
  int64_t device_bytes = 0;  // on each rank
  int64_t host_bytes = 0;    // on each node
  const Estimate& of(Quantity quantity) const { return seconds[static_cast<size_t>(quantity)]; }
};

// `machine` must outlive the prediction, which points into it.
Prediction predict(const Machine& machine, const RunPlan& plan);

// The predictions of all `plans`, in the same order. Uses as many threads as the host has cores. A null plan has an
// empty prediction.
std::vector<Prediction> predict_all(const Machine& machine, const std::vector<const RunPlan*>& plans);

// The total of `a` less the total of `b`, with an interval. Both must be predictions for the same machine, neither with
// an `unknown`. A number that both depend on is off by the same amount in both, so that its error largely cancels.
Estimate difference(const Prediction& a, const Prediction& b);

}  // namespace wansweep
