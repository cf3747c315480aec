// Combines the files of one run: for each rank, the rows that a trace of the worker would have, and their environment.
//
// Steps come from a step record, or else from the marks in a profiler's trace, or else from a perf dump; a dump also
// gives the steps around the profiled ones. A step lasts until the next begins. An event belongs to the step in which
// it began; events after the last step are left out. Expert, timestep and sigma of a step come from the file, or else
// from the run's settings, or else are unknown.
//
// All ranks of a run step together. Files whose steps take other times belong to another run and are refused. Files
// whose steps take the same time but begin at other times are on different clocks, and are shifted to the lowest rank's
// clock, by the first common step.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/imports/engine_trace.h"
#include "schema/run_settings.h"
#include "schema/trace_rows.h"

namespace wansweep {

struct RankTrace {
  TraceRows rows;
  nlohmann::json environment;
};

struct AssembledRun {
  std::map<int, RankTrace> ranks;  // from 0, without gaps
  std::string latents_digest;      // empty: no file tells it
  std::vector<std::string> notes;  // a line each
};

// `settings` are the run's; unknown ones are open. Throws bad_input naming the file when it is given twice, belongs to
// another run, or has a rank or a step that the run does not have.
AssembledRun assemble_run(const std::vector<EngineTrace>& files, const RunSettings& settings);

}  // namespace wansweep
