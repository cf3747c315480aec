#include "orchestrator/answers/report/ranking.h"

#include <algorithm>

#include "orchestrator/answers/bootstrap.h"

namespace wansweep {

Apart apart(const std::vector<double>& one, const std::vector<double>& other) {
  if (one.size() < 2 || other.size() < 2) return Apart::unknown;
  const auto [one_low, one_high] = std::minmax_element(one.begin(), one.end());
  const auto [other_low, other_high] = std::minmax_element(other.begin(), other.end());
  return *one_high < *other_low || *other_high < *one_low ? Apart::yes : Apart::no;
}

double time_of(const WayFacts& way) { return median(way.totals); }

bool CaseRanking::ties_with_best(const WayFacts& way) const {
  return apart(best().totals, way.totals) == Apart::no || time_of(way) == time_of(best());
}

std::vector<const WayFacts*> CaseRanking::leaders() const {
  std::vector<const WayFacts*> leaders;
  std::copy_if(moving.begin(), moving.end(), std::back_inserter(leaders),
               [&](const WayFacts* way) { return way == moving[0] || ties_with_best(*way); });
  return leaders;
}

bool CaseRanking::has_single_runs() const {
  const auto single = [](const WayFacts* way) { return way->totals.size() < 2; };
  return std::any_of(moving.begin(), moving.end(), single) || (resident != nullptr && single(resident));
}

CaseRanking ranking_of(const CaseFacts& facts) {
  CaseRanking ranking{&facts, {}, nullptr};
  for (const WayFacts& way : facts.ways) {
    if (!way.is_resident()) {
      ranking.moving.push_back(&way);
    } else if (ranking.resident == nullptr || time_of(way) < time_of(*ranking.resident)) {
      ranking.resident = &way;
    }
  }
  std::stable_sort(ranking.moving.begin(), ranking.moving.end(),
                   [](const WayFacts* a, const WayFacts* b) { return time_of(*a) < time_of(*b); });
  return ranking;
}

}  // namespace wansweep
