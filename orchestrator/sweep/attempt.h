// attempts/<run>-a<N>/: one execution of a run, and all that it used and made.
//
// It is written down and synced (spec.json, attempt.json) before its processes start. state.json is the launcher's last
// word on it; an attempt without one has lost its launcher. Nothing of an attempt is ever overwritten: a run that goes
// again gets the next number.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "orchestrator/plan/plan.h"
#include "orchestrator/sweep/attempt_state.h"

namespace wansweep {

struct Attempt {
  std::string directory;
  std::string run;
  std::string config;  // spec_hash
  int repeat = 0;
  int number = 0;  // from 1
  std::string token;
  Launcher launcher = Launcher::local;
  std::string submission;  // of Slurm: the token of the array that it is a member of
  int index = 0;           // in that array
  std::optional<AttemptState> state;
};

// Where in a Slurm submission an attempt is.
struct SubmissionPlace {
  std::string token;
  int index = 0;
};

// The newest attempt of each run that has one, by run name; one that was withdrawn, and so never ran, only where there
// is no other. Folders without a readable attempt.json were cut off before anything started, and are passed over.
std::map<std::string, Attempt> newest_attempts(const std::string& sweep_directory);

// A new folder with spec.json and attempt.json; its number is one above all that are there. Throws Error(output).
Attempt create_attempt(const std::string& sweep_directory, const std::string& sweep,
                       const PlannedConfiguration& configuration, int repeat,
                       const std::optional<SubmissionPlace>& place = std::nullopt);

// Which process serves the attempt, so that a later wansweep can tell whether it still runs.
void write_pid(const Attempt& attempt, int pid);

// It was written down for Slurm, which refused it or never had it.
bool was_withdrawn(const Attempt& attempt);

void write_state(Attempt& attempt, const AttemptState& state);

// Both witnesses agree: the launcher's state, and a completion record that its traces bear out.
bool is_done(const Attempt& attempt);

// Nothing when the completion record is whole; otherwise what it lacks.
std::optional<std::string> completion_problem(const std::string& directory);

// For an attempt whose wansweep died: stops what is left of it, and writes the state that it deserves.
void settle_abandoned(Attempt& attempt);

// Why the worker failed: its own line (failure.json), or the last one on its standard error. Empty: it said nothing.
std::string failure_line(const std::string& directory);

// The worker's own exit code (failure.json) where it left one, for mpirun's may be another rank's; or the launcher's.
std::optional<int> worker_exit_code(const Attempt& attempt);

}  // namespace wansweep
