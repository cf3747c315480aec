// Reads, checks and sums an attempt directory into rows for the database, without touching the database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/store/attempt_records.h"
#include "orchestrator/store/plan_of_attempt.h"
#include "orchestrator/store/sums/attempt_sums.h"
#include "orchestrator/store/sums/first_load.h"
#include "orchestrator/store/sums/step_summary.h"
#include "schema/completion.h"
#include "schema/run_settings.h"
#include "schema/trace_file.h"

namespace wansweep {

struct RankRows {
  std::string sha256;
  int64_t bytes = 0;
  std::string host;
  std::map<std::string, std::string> environment;  // "device.name", ...
  TraceFile trace;                                 // its times are rank 0's, counted from the attempt's first step
  std::map<int32_t, StepSummary> summary;
  Traffic traffic;
  std::optional<FirstLoad> first_load;  // nullopt when not recorded
  bool tells_events = true;             // false: the trace has only the times of steps
  bool of_worker = true;                // false: of another engine, whose files have no stalls and no first load
};

struct AttemptRows {
  AttemptRecords records;
  std::optional<RunSettings> spec;  // the settings of the loop, or else the requested ones
  std::optional<AttemptPlan> plan;  // set if `spec` is
  std::string latents_digest;
  std::optional<ResultRecord> result;       // from completed.json
  std::optional<int64_t> nonfinite_values;  // in the final latents of all ranks; nullopt when not counted
  bool complete = false;
  std::string problem;                // why the attempt is not complete
  std::map<int, RankRows> ranks;      // the ranks whose trace could be read
  AttemptSums sums;                   // sums over these ranks, in the same order
  std::vector<std::string> problems;  // files that are damaged or contradict each other, one line each
  std::vector<std::string> notes;     // harmless oddities, one line each
};

// Reads an attempt. Does not throw for faults of files: those are in `problems`.
AttemptRows read_attempt_rows(AttemptRecords records);

}  // namespace wansweep
