// Reads the small files of an attempt directory, and the sizes and times of the large ones: enough to identify the
// attempt, to know the launcher's result, and to notice a change since the last gather.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wansweep {

// The content of slurm.json and transitions.jsonl; see tables slurm_job and transition.
struct SlurmTransition {
  std::string at, from, to, slurm_state, detail;
};
struct SlurmRecord {
  std::string submission;
  int64_t index = 0;
  int64_t array_job = 0;  // 0: unknown
  std::string slurm_state, reason, nodes, started_at, ended_at;
  std::vector<SlurmTransition> transitions;
};

struct AttemptRecords {
  std::string directory;
  std::string sweep;
  std::string run;
  std::string config;
  int64_t repeat = 0;
  int64_t number = 0;
  std::string token;
  std::string launcher;
  std::vector<std::string> replaces;  // configs that earlier imports of the run had; empty for any other attempt
  std::optional<std::string> state;   // from state.json; nullopt when the launcher has not recorded an end
  std::optional<int64_t> exit_code;
  std::optional<int64_t> signal;
  std::string started_at;
  std::string finished_at;
  std::string line;                   // why it failed, as the launcher saw it
  std::optional<SlurmRecord> slurm;   // nullopt for another launcher
  std::map<int, std::string> traces;  // file name, by rank
  std::string fingerprint;  // changes when the content of a small file, or the size or time of a large one changes
};

// nullopt when the directory has no attempt.json: wansweep was killed before anything started. Throws bad_input when a
// record cannot be read or is malformed, an empty one too, and when attempt.json is missing beside one of an end.
std::optional<AttemptRecords> read_attempt_records(const std::string& directory);

}  // namespace wansweep
