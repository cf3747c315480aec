// The files of one run put together: for each rank the rows that a trace of the worker would have, and what is known of
// where they came from.
//
// Steps come from a step record, else from the marks in a profiler's trace, else from a perf dump; a dump also gives
// the steps around those that were profiled. A step lasts until the next begins. What the device did belongs to the
// step in which it began; what came after the last step is left out. The expert, timestep and sigma of a step are the
// file's where it has them, else follow from the run's settings, else are not known.
//
// Ranks of a run step together. Files whose steps take other times are of another run, and refused; files whose steps
// take the same time and begin at another are on clocks that do not match, and are moved to the lowest rank's, by the
// first step that both have.
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
  std::string latents_digest;      // empty: no file says it
  std::vector<std::string> notes;  // a line each
};

// `settings` are the run's, those that are open where they are not known. Throws bad_input naming the file: named
// twice, of another run, of a rank that the run does not have, with steps that it does not have.
AssembledRun assemble_run(const std::vector<EngineTrace>& files, const RunSettings& settings);

}  // namespace wansweep
