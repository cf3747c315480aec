// Ranks the ways to move weights (ways.h) by the time that a run takes, says how sure the order is, and names the runs
// that would settle what is not sure.
//
// A pair of ways is decided when the interval of the difference of their totals excludes zero. Where each way has three
// repeats or more, that is the bootstrap interval of the difference of their medians (answers/bootstrap.h). Where
// neither was measured, it is the interval of the predicted difference, in which the errors that both share cancel
// (predict/prediction.h). In all other cases (one total is measured and the other predicted, or one has too few
// repeats) the intervals of the two totals are combined as independent errors. But once a measured way has left its
// predicted interval, the predictions of the others may be as wrong, and no measured way is decided against a predicted
// one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/enum_names.h"
#include "orchestrator/choose/ways.h"
#include "orchestrator/machines/machine_file.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/predict/fit.h"
#include "orchestrator/predict/prediction.h"

namespace wansweep {

enum class Decision : uint8_t { better, worse, not_decided };
constexpr std::string_view name_of(Decision decision) {
  switch (decision) {
    case Decision::better:
      return "better";
    case Decision::worse:
      return "worse";
    case Decision::not_decided:
      return "not decided";
  }
  return {};
}

struct RankedWay {
  OffloadWay way;
  std::string config;   // settings_hash
  std::string why_not;  // it cannot run, does not fit, moves nothing, or has no prediction; empty: it is ranked
  Prediction prediction;
  std::vector<double> measured;  // total of each repeat, in seconds
  double seconds = 0;            // total by which it is ranked: the median of `measured`, else the predicted one

  bool left_its_prediction() const;  // the median of `measured` lies outside the predicted interval
};

// How two ways of one ranking compare: `decision` says whether the first is better or worse than the second.
struct PairDecision {
  size_t first = 0, second = 0;  // indices into Ranking::ways
  Decision decision = Decision::not_decided;
  bool measured = false;  // both ways were measured, three times or more
  Estimate difference;    // total of the first less total of the second, in seconds
};

// All ways for one number of ranks.
struct Ranking {
  int64_t ranks = 1;
  int64_t steps = 0;                // of each run; 0: no way can run
  std::vector<RankedWay> ways;      // the fastest first; ways with a why_not last
  std::vector<PairDecision> pairs;  // all pairs of the ways without a why_not

  // The ways that may be the fastest: the first, and all that are not decided against it. Empty when the first is sure
  // to be the fastest.
  std::vector<size_t> contenders() const;
  const PairDecision* pair(size_t first, size_t second) const;

  // Why no way is ranked, when all have the same reason; empty otherwise.
  std::string why_none() const;
};

// The total of each measured run, in seconds, by the run's settings_hash.
using MeasuredTotals = std::map<std::string, std::vector<double>>;

// One ranking for each number of ranks. `plan` is the plan of `ways` (plan_of).
std::vector<Ranking> rank_ways(const Machine& machine, const std::vector<OffloadWay>& ways, const Plan& plan,
                               const MemoryLimits& limits, const MeasuredTotals& measured);

// The smallest set of runs that decides which way is the fastest: all ways that may be the fastest, each repeated as
// often as the closest two of them need. `ways` is empty when the fastest way is decided already, and when the ways
// that may be the fastest were repeated as often as is worth while and still do not differ.
struct DecidingRuns {
  struct Cost {
    int64_t ranks = 1;
    double seconds = 0;  // of all runs on so many ranks one after the other, with loading
  };
  std::vector<OffloadWay> ways;
  int repeats = 0;
  std::vector<Cost> costs;
  bool may_not_suffice = false;  // two ways are predicted to be too close for that many repeats to tell apart
};
DecidingRuns deciding_runs(const std::vector<Ranking>& rankings);

// The rankings as text for people.
std::string rankings_as_text(const MachineFile& machine, const Question& question,
                             const std::vector<Ranking>& rankings);

}  // namespace wansweep
