// The small files of an attempt directory, and what its larger ones look like from outside: enough to know which
// attempt it is, what its launcher says of it, and whether anything changed since it was gathered.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

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
  std::string fingerprint;  // changes when any of the files does: what they hold, or size and time of large ones
};

// nullopt when the directory has no attempt.json: it was cut off before anything started. Throws bad_input when it
// cannot be read, or a record of it is not what it must be.
std::optional<AttemptRecords> read_attempt_records(const std::string& directory);

}  // namespace wansweep
