// One attempt's rows for looking at it over time: from its traces, or from the database.
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

// From the traces in an attempt's directory, finished or not. Throws bad_input when there is none that can be read.
Timeline read_timeline(const std::string& directory);

// The newest attempt of a run that was gathered; of the sweep of that name first, and of any other where it has no such
// run. Throws bad_input when there is no such run, or several sweeps have one.
Timeline load_timeline(Store& store, const std::string& run, const std::string& sweep = "");

}  // namespace wansweep
