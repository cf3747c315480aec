// One rank's rows in the database: its steps, events, memory and power, and the sums over them.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "orchestrator/store/attempt_rows.h"
#include "orchestrator/store/database.h"

namespace wansweep {

// A written rank: the id of its row, and event.id of its first event; the others follow without a gap.
struct WrittenRank {
  int64_t id = 0;
  int64_t first_event = 0;
};

WrittenRank write_rank(Store& store, int64_t attempt, int rank, const RankRows& rows);

// Writes rows of tables step_summary and traffic. Without `with_stalls`, the columns of stalls are null, since the
// trace has none.
void write_step_summary(Store& store, int64_t rank_id, const std::map<int32_t, StepSummary>& sums, bool with_stalls);
void write_traffic(Store& store, int64_t rank_id, const Traffic& sums);

// Deletes all ranks of an attempt and all their rows.
void remove_ranks(Store& store, int64_t attempt);

// Reads the events of a rank: times are rank 0's, counted from the attempt's first step.
std::vector<EventRow> read_events(Store& store, int64_t rank_id);

// Reads its steps, in order.
std::vector<StepRow> read_steps(Store& store, int64_t rank_id);

}  // namespace wansweep
