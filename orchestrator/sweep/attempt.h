// attempts/<run>-a<N>/: one execution of a run, and all that it used and made.
//
// It is written down and synced (spec.json, attempt.json) before its processes start. state.json is the launcher's last
// word on it; an attempt without one runs, or has lost its launcher. Nothing of an attempt is ever overwritten: a run
// that goes again gets the next number.
//
// Only "no such file" means that a record is absent. Whatever else keeps one from being read (damage, rights, a file
// system's failure, something planted) makes the attempt unknown: it is reported and left alone, and its run does not
// start again (attempt_folder.h).
#pragma once

#include <optional>
#include <string>

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
  std::string submission;  // of Slurm: the token of the array that it is a member of
  int index = 0;           // in that array
  std::optional<AttemptState> state;
};

// What the folder holds. nullopt: nothing was written down, so nothing of it ever started. Throws bad_input naming the
// record that cannot be read, that belongs to another folder, or that is missing though the attempt was started.
std::optional<Attempt> read_attempt(const std::string& directory);

// state.json. Throws Error(output).
void write_state(Attempt& attempt, const AttemptState& state);

// It was written down for Slurm, which refused it or never had it.
bool was_withdrawn(const Attempt& attempt);

// Its state says that it completed, and its completion record is whole. Reads the traces.
bool is_done(const Attempt& attempt);

// Why the worker failed: its own line (failure.json), or the last one on its standard error. Empty: it said nothing.
// As it was said: printable() is for whoever shows it.
std::string failure_line(const std::string& directory);

// The worker's own exit code (failure.json) where it left one, for mpirun's may be another rank's; or the launcher's.
// nullopt: neither is known.
std::optional<int> worker_exit_code(const Attempt& attempt);

}  // namespace wansweep
