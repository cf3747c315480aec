// The ways of a case in the order of their times, and which of them the repeats tell apart.
#pragma once

#include <cstdint>
#include <vector>

#include "orchestrator/answers/report/verdict.h"

namespace wansweep {

// Whether the repeats of two samples tell them apart. yes: no value of the one is as low as any of the other.
// unknown: one sample has fewer than two values.
enum class Apart : uint8_t { yes, no, unknown };
Apart apart(const std::vector<double>& one, const std::vector<double>& other);

double time_of(const WayFacts& way);  // the median of its repeats, in seconds

// The pointers are into the facts, which must outlive the ranking.
struct CaseRanking {
  const CaseFacts* facts = nullptr;
  std::vector<const WayFacts*> moving;  // those that move weights, the fastest first
  const WayFacts* resident = nullptr;   // the baseline; nullptr: it did not run

  bool contested() const { return moving.size() > 1; }
  const WayFacts& best() const { return *moving[0]; }
  // Whether the repeats leave it open which of the two is faster. False for single runs, unless their times are equal.
  bool ties_with_best(const WayFacts& way) const;
  std::vector<const WayFacts*> leaders() const;  // the fastest, and those that tie with it
  bool decided() const { return contested() && leaders().size() == 1; }
  double lead() const { return time_of(*moving[1]) / time_of(*moving[0]); }  // of a contested case: at least 1
  bool has_single_runs() const;  // among the ways that a comparison with the fastest would take
};

CaseRanking ranking_of(const CaseFacts& facts);

}  // namespace wansweep
