// All sums over an attempt that need its ranks on one clock.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "orchestrator/store/sums/attempt_events.h"
#include "orchestrator/store/sums/event_spread.h"
#include "orchestrator/store/sums/time_parts.h"
#include "orchestrator/store/sums/traffic_rates.h"

namespace wansweep {

struct AttemptSums {
  std::vector<std::map<int32_t, TimeParts>> parts;  // by rank, in the order given
  std::map<RateKey, TrafficRate> rates;
  std::map<SpreadKey, EventSpread> spreads;
  std::map<std::pair<EventKind, StallCause>, std::vector<LargestEvent>> largest;
};

AttemptSums sum_attempt(const AttemptEvents& attempt);

}  // namespace wansweep
