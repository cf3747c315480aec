// Each rank's times are of its own clock. Here they all become rank 0's, counted from the attempt's first step.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

// Adds the rank's clock offset, as it was measured before the first step and after the last, to all times: clocks drift
// apart evenly between the two. A duration stays as the rank measured it.
void to_shared_clock(TraceRows& rows);

// When the first step of any rank begins; of an attempt that was killed before its first step, its first event; 0:
// there is neither.
int64_t origin_of(const std::vector<const TraceRows*>& ranks);

// All times earlier by `origin`.
void count_from(int64_t origin, TraceRows& rows);

}  // namespace wansweep
