// Events and attempts for the tests of the sums, built by hand.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/store/sums/attempt_events.h"

namespace wansweep {

inline EventRow event_of(EventKind kind, int64_t start, int64_t end, int64_t bytes = 0, int step = 1) {
  EventRow row;
  row.step = step;
  row.forward = 0;
  row.block = 0;
  row.kind = kind;
  row.start_ns = start;
  row.end_ns = end;
  row.bytes = bytes;
  return row;
}

inline EventRow stall_of(StallCause cause, int64_t start, int64_t end, int step = 1) {
  EventRow row = event_of(EventKind::stall, start, end, 0, step);
  row.cause = cause;
  return row;
}

// An attempt whose ranks are all on one host, each on its own host, or on the hosts that are named.
struct HandMadeAttempt {
  std::vector<std::vector<EventRow>> events;  // by rank
  std::vector<std::vector<StepRow>> steps;    // by rank; may be missing
  bool one_host = true;
  std::vector<std::string> hosts = {};  // by rank
  Spread spread;

  AttemptEvents view() {
    steps.resize(events.size());
    AttemptEvents attempt;
    attempt.spread = spread;
    for (size_t r = 0; r < events.size(); ++r) {
      const std::string host = one_host ? "node" : "node" + std::to_string(r);
      attempt.ranks.push_back({static_cast<int>(r), hosts.empty() ? host : hosts[r], &events[r], &steps[r]});
    }
    return attempt;
  }
};

}  // namespace wansweep
