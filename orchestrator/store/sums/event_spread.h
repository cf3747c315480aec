// The durations of single events: percentiles by kind, and the longest events.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "orchestrator/store/sums/attempt_events.h"

namespace wansweep {

// An exchange waits for the last rank of its group, and then moves data; all else is whole only.
enum class EventPart : uint8_t { whole, moving, waiting };

struct SpreadKey {
  EventKind kind = EventKind::compute;
  StallCause cause = StallCause::none;  // of a stall
  EventPart part = EventPart::whole;
  auto operator<=>(const SpreadKey&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm of clang-tidy 14
};

// Table event_spread. A percentile is the shortest duration that so many of a hundred events do not exceed.
struct EventSpread {
  int64_t events = 0, bytes = 0, total_ns = 0, p50_ns = 0, p90_ns = 0, p99_ns = 0, max_ns = 0;
};

// Over all ranks together, from step 1 on. For `since` see exchange_start.h.
std::map<SpreadKey, EventSpread> spread_of(const AttemptEvents& attempt,
                                           const std::vector<std::vector<int64_t>>& since);

// Table largest_event.
struct LargestEvent {
  size_t rank = 0;   // index among the ranks given
  size_t event = 0;  // index among the rank's events
  int64_t moving_ns = 0;
};

inline constexpr size_t largest_kept = 5;

// The longest events of each kind and cause, the longest first, from step 1 on.
std::map<std::pair<EventKind, StallCause>, std::vector<LargestEvent>> largest_of(
    const AttemptEvents& attempt, const std::vector<std::vector<int64_t>>& since);

}  // namespace wansweep
