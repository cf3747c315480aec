// Converts the times of each rank, which are on its own clock, to rank 0's clock, counted from the attempt's first
// step.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

// Adds the rank's clock offset to all times, interpolated between the measurements before the first step and after the
// last. Durations stay as the rank measured them.
void to_shared_clock(TraceRows& rows);

// The beginning of the first step of any rank; for an attempt that was killed before, of its first event; 0 when there
// is neither.
int64_t origin_of(const std::vector<const TraceRows*>& ranks);

// Subtracts `origin` from all times.
void count_from(int64_t origin, TraceRows& rows);

}  // namespace wansweep
