// attempts/<run>-a<N>/: one execution of a run, with all files that it used and made.
//
// An attempt is recorded and synced (spec.json, attempt.json) before its processes start. The launcher writes
// state.json at its end; an attempt without it runs, or has lost its launcher. Nothing of an attempt is ever
// overwritten: the next execution of the run gets the next number.
//
// Only "no such file" means that a record is absent. If a record cannot be read for any other reason (damage, rights, a
// failing file system, a planted link), the attempt is unknown: it is reported and left alone, and its run is not
// started again (attempt_folder.h).
#pragma once

#include <optional>
#include <string>

#include "base/exit_codes.h"
#include "orchestrator/sweep/attempt_state.h"

namespace wansweep {

struct Attempt {
  std::string directory;
  std::string run;
  std::string config;  // settings_hash
  int repeat = 0;
  int number = 0;  // from 1
  std::string token;
  Launcher launcher = Launcher::local;
  std::string submission;  // for Slurm: the token of its array
  int index = 0;           // its index in that array
  std::optional<AttemptState> state;
};

// Reads the folder's records. nullopt when nothing was recorded, so nothing was started. Throws bad_input naming the
// record that cannot be read, belongs to another folder, or is missing although the attempt was started.
std::optional<Attempt> read_attempt(const std::string& directory);

// Writes state.json. Throws Error(output).
void write_state(Attempt& attempt, const AttemptState& state);

// Whether the attempt was made for Slurm, which refused it or never had it.
bool was_withdrawn(const Attempt& attempt);

// Whether its state is `completed` and its completion record, traces and result are intact. Reads them all.
bool is_done(const Attempt& attempt);

// Why the worker failed: the line in failure.json, or the last one on its standard error; empty when there is neither.
// That a rank ended with an exit code, as mpirun says between lines of dashes, is no reason. The text is raw: apply
// printable() before showing it.
std::string failure_line(const std::string& directory);

// The exit code that the worker recorded in failure.json, since mpirun's may be another rank's; or else the launcher's.
// nullopt when both are unknown.
std::optional<int> worker_exit_code(const Attempt& attempt);

// What that code means; nullptr when it need not be the worker's: without a failure.json, mpirun and any other program
// may have ended with a code from 1 to 9.
const ExitCodeInfo* worker_exit_meaning(const Attempt& attempt);

}  // namespace wansweep
