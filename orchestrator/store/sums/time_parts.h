// Divides a rank's time into parts: every nanosecond of an attempt is in exactly one part.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "orchestrator/store/sums/attempt_events.h"

namespace wansweep {

// Table step_part, in nanoseconds. Time that fits several parts counts for the first: compute hides everything else,
// and the reason for which the compute stream waited counts before the work that ran meanwhile.
struct TimeParts {
  int64_t compute = 0;                // compute or attention ran on the rank
  int64_t both = 0;                   // an exchange moved data, and a copy ran
  int64_t exchange = 0;               // an exchange moved data
  int64_t peers_beside_transfer = 0;  // waited for other ranks, while a copy ran
  int64_t peers = 0;                  // waited for other ranks
  int64_t transfer = 0;               // a copy or parts of weights moved, or weights were waited for
  int64_t host = 0;                   // waited for the host
  int64_t idle = 0;                   // none of these
};

// By rank (in the order given) and step. `since`: exchange_start.h. A rank's parts, summed over its steps, are the
// attempt's wall time: from the first start of a step, of any rank, to the last end. A step's time goes on until the
// next one of the rank begins; the first begins with the attempt, the last ends with it.
std::vector<std::map<int32_t, TimeParts>> split_time(const AttemptEvents& attempt,
                                                     const std::vector<std::vector<int64_t>>& since);

}  // namespace wansweep
