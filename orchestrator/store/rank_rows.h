// One rank's rows in the database: its steps, events, memory and power, and the sums over them.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "orchestrator/store/attempt_rows.h"
#include "orchestrator/store/database.h"

namespace wansweep {

// A rank as it was written: its row, and event.id of its first event; the others follow without a gap.
struct WrittenRank {
  int64_t id = 0;
  int64_t first_event = 0;
};

WrittenRank write_rank(Store& store, int64_t attempt, int rank, const RankRows& rows);

// Rows of tables step_summary and traffic. Without `with_stalls` those columns are null: the trace tells of none.
void write_step_summary(Store& store, int64_t rank_id, const std::map<int32_t, StepSummary>& sums, bool with_stalls);
void write_traffic(Store& store, int64_t rank_id, const Traffic& sums);

// All ranks of an attempt, with all that is theirs.
void remove_ranks(Store& store, int64_t attempt);

// The events of a rank as they were written: times are rank 0's, counted from the attempt's first step.
std::vector<EventRow> read_events(Store& store, int64_t rank_id);

// Its steps, in order.
std::vector<StepRow> read_steps(Store& store, int64_t rank_id);

}  // namespace wansweep
