// The input of all sums over an attempt: its ranks' events on one clock, and the parallel plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

// All times are rank 0's. The vectors belong to the caller and outlive it.
struct RankEvents {
  int rank = 0;      // MPI's number
  std::string host;  // empty: unknown; the rank then shares its links with no other
  const std::vector<EventRow>* events = nullptr;
  const std::vector<StepRow>* steps = nullptr;
};

// rank = (cfg_index * ring + ring_index) * ulysses + ulysses_index.
struct Spread {
  int64_t cfg = 1;
  std::optional<int64_t> ulysses, ring;  // nullopt: unknown
};

struct AttemptEvents {
  std::vector<RankEvents> ranks;  // ascending
  Spread spread;
};

}  // namespace wansweep
