// The timeline of one attempt, from its traces or from the database.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/store/database.h"
#include "schema/trace_file.h"

namespace wansweep {

struct RankTimeline {
  int rank = 0;
  std::string host;
  TraceRows rows;  // times are rank 0's, counted from the attempt's first step
};

struct Timeline {
  std::string attempt;
  std::vector<RankTimeline> ranks;  // by rank
};

// Reads the traces in an attempt's directory, finished or not. Throws bad_input when no trace can be read.
Timeline read_timeline(const std::string& directory);

// Reads the newest gathered attempt of a run, preferably of the sweep of that name. Throws bad_input when there is no
// such run, or several other sweeps have one.
Timeline load_timeline(Store& store, const std::string& run, const std::string& sweep = "");

}  // namespace wansweep
