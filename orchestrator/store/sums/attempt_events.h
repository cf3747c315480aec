// What the sums over an attempt are made from: its ranks' events on one clock, and how the ranks were spread.
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
  std::string host;  // empty: not known; then it shares its links with no other rank
  const std::vector<EventRow>* events = nullptr;
  const std::vector<StepRow>* steps = nullptr;
};

// rank = (cfg_index * ring + ring_index) * ulysses + ulysses_index.
struct Spread {
  int64_t cfg = 1;
  std::optional<int64_t> ulysses, ring;  // nullopt: not known
};

struct AttemptEvents {
  std::vector<RankEvents> ranks;  // ascending
  Spread spread;
};

}  // namespace wansweep
