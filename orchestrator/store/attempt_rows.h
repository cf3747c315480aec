// An attempt directory as rows for the database: read, checked and summed, without touching the database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/store/attempt_records.h"
#include "orchestrator/store/first_load.h"
#include "orchestrator/store/plan_of_attempt.h"
#include "orchestrator/store/sums/attempt_sums.h"
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
  std::optional<FirstLoad> first_load;  // nullopt: not recorded
  bool tells_events = true;             // else only how long steps took
  bool of_worker = true;                // else of another engine, whose files tell of no stalls and no first load
};

struct AttemptRows {
  AttemptRecords records;
  std::optional<RunSettings> spec;  // as the loop used it; else as it was asked for
  std::optional<AttemptPlan> plan;  // where `spec` is
  std::string latents_digest;
  std::optional<ResultRecord> result;       // as completed.json has it
  std::optional<int64_t> nonfinite_values;  // of the latents that all ranks ended with; nullopt: not counted
  bool complete = false;
  std::string problem;                // why it is not complete
  std::map<int, RankRows> ranks;      // those whose trace could be read
  AttemptSums sums;                   // over them, in that order
  std::vector<std::string> problems;  // files that are damaged or contradict each other, a line each
  std::vector<std::string> notes;     // what is odd and does no harm, a line each
};

// Never throws for what is wrong with the files: that is in `problems`.
AttemptRows read_attempt_rows(AttemptRecords records);

}  // namespace wansweep
