// Which way is best, how sure that is, and which runs would decide what is not.
//
// A pair of ways is decided by measurement where both have three repeats or more: the bootstrap interval of the
// difference of their medians (answers/bootstrap.h) excludes zero. Where neither was measured, it is decided by
// prediction, where the interval of the difference excludes zero: what both depend on is the same in both
// (predict/prediction.h). Else one total is measured and the other predicted, or one has too few repeats: their
// intervals are taken as independent.
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
  std::string why_not;  // it cannot run, does not fit, or is not known; empty: it is in the ranking
  Prediction prediction;
  std::vector<double> measured;  // totals of its repeats, seconds
  double seconds = 0;            // what it is ranked by: the median of what was measured, else what is predicted
};

// Of two ways of one ranking: the first against the second.
struct PairDecision {
  size_t first = 0, second = 0;  // indices into Ranking::ways
  Decision decision = Decision::not_decided;
  bool measured = false;  // both, three times or more
  Estimate difference;    // seconds that the first takes more
};

// Of one number of ranks.
struct Ranking {
  int64_t ranks = 1;
  std::vector<RankedWay> ways;      // the fastest first; those that are not in the ranking last
  std::vector<PairDecision> pairs;  // all pairs of those that are

  // Those that may be the fastest: not decided against the first. Empty: the first is decided.
  std::vector<size_t> contenders() const;
  const PairDecision* pair(size_t first, size_t second) const;
};

// Totals in seconds by settings_hash.
using MeasuredTotals = std::map<std::string, std::vector<double>>;

// `plan` is that of sweep_of(question, ..., ways, ...): a configuration a way, in their order.
std::vector<Ranking> rank_ways(const Machine& machine, const std::vector<OffloadWay>& ways, const Plan& plan,
                               const MemoryLimits& limits, const MeasuredTotals& measured);

// The smallest set of runs that decides which way is the fastest: all that may be, as often as the closest of them asks
// for. Empty: it is decided, or was measured as often as this allows and does not differ.
struct DecidingRuns {
  std::vector<OffloadWay> ways;
  int repeats = 0;
  bool may_not_suffice = false;  // two are predicted to be closer than that many repeats tell apart
};
DecidingRuns deciding_runs(const std::vector<Ranking>& rankings);

// For people.
std::string rankings_as_text(const MachineFile& machine, const Question& question,
                             const std::vector<Ranking>& rankings);

}  // namespace wansweep
