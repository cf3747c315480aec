// The sums over an attempt in the database: tables step_part, traffic_rate, event_spread and largest_event.
#pragma once

#include <cstdint>
#include <vector>

#include "orchestrator/store/database.h"
#include "orchestrator/store/rank_rows.h"
#include "orchestrator/store/sums/attempt_sums.h"

namespace wansweep {

// `ranks`: in the order in which the sums were made; their events are there already. What was there of the attempt
// before goes, within the caller's transaction.
void write_sums(Store& store, int64_t attempt, const std::vector<WrittenRank>& ranks, const AttemptSums& sums);

}  // namespace wansweep
