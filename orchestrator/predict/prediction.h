// What a run would take on a machine, each figure with an interval that follows from the spreads of the machine's
// numbers. Predictions are predictions: they are stored and shown as such, never as anything measured.
//
// How an interval is made: the run is played with all numbers at their medians, and once more with each number that it
// depends on at either end of its spread (the 10th and 90th percentile), the others at their medians. The deviations
// up and those down are each added as independent errors are: the root of the sum of their squares. That is exact to
// first order, and asks for two plays a number. It takes every number to be off for the whole run, as a machine that is
// slower today than when it was probed is. What the play itself leaves out, differences between ranks above all, is a
// doubt of its own (play_doubt.h). Not covered: a network or host that others use.
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

// What a run is asked for, as the results database has it: seconds.
enum class Quantity : uint8_t {
  total,  // of all steps
  median_step,
  spike,             // the switch step above the median step; 0 where the experts do not switch
  exposed_transfer,  // of copies in the steps, while nothing was computed
  first_load,        // copies before step 1; not in the total
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

// How far one of the machine's numbers, with those that share its doubt, moves the total from its end to its median.
struct Influence {
  const Measured* of = nullptr;  // into the machine
  double at_low = 0;             // seconds more or less than the total, with the number at its low end
  double at_high = 0;
  bool own = false;  // of this run alone: another one may be off the other way
};

struct Prediction {
  std::string unknown;  // why there is no prediction: what the machine's numbers lack; empty: there is one
  Estimate seconds[quantities];
  double store_seconds = 0;  // before the loop: filling and pinning the host's store
  std::vector<Influence> influences;
  // Bytes that the plan promises, exact.
  int64_t device_bytes = 0;  // of a rank
  int64_t host_bytes = 0;    // of a node
  const Estimate& of(Quantity quantity) const { return seconds[static_cast<size_t>(quantity)]; }
};

// `machine` must outlive the prediction.
Prediction predict(const Machine& machine, const RunPlan& plan);

// Of all, in their order, on as many threads as the host has cores. Null plans have no prediction, and say nothing.
std::vector<Prediction> predict_all(const Machine& machine, const std::vector<const RunPlan*>& plans);

// By how much the total of `a` exceeds that of `b`, both on one machine: a number that both depend on is the same in
// both. Both must have a prediction.
Estimate difference(const Prediction& a, const Prediction& b);

}  // namespace wansweep
