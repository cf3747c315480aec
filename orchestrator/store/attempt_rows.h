// An attempt directory as rows for the database: read, checked and summed, without touching the database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/store/step_summary.h"
#include "schema/completion.h"
#include "schema/run_settings.h"
#include "schema/trace_file.h"

namespace wansweep {

// slurm.json and transitions.jsonl of an attempt that went through Slurm; see tables slurm_job and transition.
struct SlurmTransition {
  std::string at, from, to, slurm_state, detail;
};
struct SlurmRecord {
  std::string submission;
  int64_t index = 0;
  int64_t array_job = 0;  // 0: Slurm never told one
  std::string slurm_state, reason, nodes, started_at, ended_at;
  std::vector<SlurmTransition> transitions;
};

// The small files of an attempt directory, and what its traces look like from outside.
struct AttemptRecords {
  std::string directory;
  std::string sweep;
  std::string run;
  std::string config;
  int64_t repeat = 0;
  int64_t number = 0;
  std::string token;
  std::string launcher;
  std::optional<std::string> state;  // state.json; nullopt: the launcher has not said
  std::optional<int64_t> exit_code;
  std::optional<int64_t> signal;
  std::string started_at;
  std::string finished_at;
  std::string line;                   // why it failed, as the launcher saw it
  std::optional<SlurmRecord> slurm;   // nullopt: it went through another launcher
  std::map<int, std::string> traces;  // file by rank
  std::string fingerprint;            // changes when any of the files does
};

// nullopt when the directory has no attempt.json: it was cut off before anything started. Throws bad_input.
std::optional<AttemptRecords> read_attempt_records(const std::string& directory);

struct RankRows {
  std::string sha256;
  int64_t bytes = 0;
  std::string host;
  std::map<std::string, std::string> environment;  // "device.name", ...
  TraceFile trace;                                 // its times are rank 0's, counted from the attempt's first step
  std::map<int32_t, StepSummary> summary;
  Traffic traffic;
};

struct AttemptRows {
  AttemptRecords records;
  std::optional<RunSpec> spec;  // as the loop used it; else as it was asked for
  std::string latents_digest;
  bool complete = false;
  std::string problem;                // why it is not complete
  std::map<int, RankRows> ranks;      // those whose trace could be read
  std::vector<std::string> problems;  // files that are damaged or contradict each other, a line each
};

// Never throws for what is wrong with the files: that is in `problems`.
AttemptRows read_attempt_rows(AttemptRecords records);

}  // namespace wansweep
