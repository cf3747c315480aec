#include "orchestrator/store/sums/event_spread.h"

#include <algorithm>
#include <cstddef>

#include "orchestrator/store/sums/intervals.h"

namespace wansweep {
namespace {

struct Durations {
  int64_t bytes = 0;
  std::vector<int64_t> ns;
};

// The smallest value that `percent` of all do not exceed. Reorders them.
int64_t percentile(std::vector<int64_t>& values, size_t percent) {
  const size_t at = (values.size() * percent + 99) / 100 - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

EventSpread spread_of(Durations& durations) {
  EventSpread spread;
  spread.events = static_cast<int64_t>(durations.ns.size());
  spread.bytes = durations.bytes;
  for (const int64_t ns : durations.ns) {
    spread.total_ns += ns;
    spread.max_ns = std::max(spread.max_ns, ns);
  }
  spread.p50_ns = percentile(durations.ns, 50);
  spread.p90_ns = percentile(durations.ns, 90);
  spread.p99_ns = percentile(durations.ns, 99);
  return spread;
}

}  // namespace

std::map<SpreadKey, EventSpread> spread_of(const AttemptEvents& attempt,
                                           const std::vector<std::vector<int64_t>>& since) {
  std::map<SpreadKey, Durations> durations;
  for (size_t r = 0; r < attempt.ranks.size(); ++r) {
    const std::vector<EventRow>& events = *attempt.ranks[r].events;
    for (size_t i = 0; i < events.size(); ++i) {
      const EventRow& e = events[i];
      if (e.step < 1) continue;
      const auto add = [&](EventPart part, int64_t ns, int64_t bytes) {
        Durations& of = durations[{e.kind, e.cause, part}];
        of.ns.push_back(ns);
        of.bytes += bytes;
      };
      add(EventPart::whole, e.end_ns - e.start_ns, e.bytes);
      if (!is_exchange(e.kind)) continue;
      add(EventPart::moving, e.end_ns - since[r][i], e.bytes);
      add(EventPart::waiting, since[r][i] - e.start_ns, 0);
    }
  }
  std::map<SpreadKey, EventSpread> spreads;
  for (auto& [key, of] : durations) spreads[key] = spread_of(of);
  return spreads;
}

std::map<std::pair<EventKind, StallCause>, std::vector<LargestEvent>> largest_of(
    const AttemptEvents& attempt, const std::vector<std::vector<int64_t>>& since) {
  std::map<std::pair<EventKind, StallCause>, std::vector<LargestEvent>> largest;
  const auto event_of = [&](const LargestEvent& one) -> const EventRow& {
    return (*attempt.ranks[one.rank].events)[one.event];
  };
  const auto longer = [&](const LargestEvent& a, const LargestEvent& b) {
    const EventRow &x = event_of(a), &y = event_of(b);
    return x.end_ns - x.start_ns > y.end_ns - y.start_ns;
  };
  for (size_t r = 0; r < attempt.ranks.size(); ++r) {
    const std::vector<EventRow>& events = *attempt.ranks[r].events;
    for (size_t i = 0; i < events.size(); ++i) {
      const EventRow& e = events[i];
      if (e.step < 1) continue;
      std::vector<LargestEvent>& kept = largest[{e.kind, e.cause}];
      const LargestEvent one{r, i, is_exchange(e.kind) ? e.end_ns - since[r][i] : 0};
      if (kept.size() == largest_kept && !longer(one, kept.back())) continue;
      kept.insert(std::upper_bound(kept.begin(), kept.end(), one, longer), one);
      if (kept.size() > largest_kept) kept.pop_back();
    }
  }
  return largest;
}

}  // namespace wansweep
