// How an attempt ended: one rule for local and Slurm runs, a function of two witnesses.
//
//                             the completion record is
//   the launcher's word       whole        absent or wrong    unreadable
//   exit_zero                 completed    failed             not decided
//   exit_other                failed       failed             failed
//   struck                    completed    as struck          not decided
//   none                      completed    as struck          not decided
//
// The worker writes its record last, when nothing is left to go wrong: what struck it from outside after that (a
// signal, a time limit, a node's failure) took nothing away. An exit code of its own that is not 0 says that something
// did go wrong, whatever the record says. A record that cannot be read is neither there nor absent: nothing is decided,
// and the attempt is looked at again another time.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/sweep/attempt_state.h"

namespace wansweep {

enum class LauncherWord {
  exit_zero,   // mpirun, or the job, ended by itself with 0
  exit_other,  // by itself with another exit code
  struck,      // ended from outside: by a signal, a cancellation, a limit, its node
  none,        // the launcher died, or Slurm has forgotten the job
};

struct LauncherWitness {
  LauncherWord word = LauncherWord::none;
  AttemptEnd struck_as = AttemptEnd::cancelled;  // the end, where neither exit code nor record decides it
};

enum class RecordWord {
  whole,       // completed.json is there, and the traces are those that it speaks of
  absent,      // there is no completed.json
  wrong,       // it is there, and the traces are not those
  unreadable,  // it is there, or may be, and cannot be read
};

struct RecordWitness {
  RecordWord word = RecordWord::absent;
  std::string line;  // what is wrong, naming the file; empty when whole
};

// Reads completed.json, and the traces to compare them. Throws nothing that a file can cause.
RecordWitness read_record(const std::string& directory);

// The rule above. nullopt: not decided.
std::optional<AttemptEnd> outcome_of(const LauncherWitness& launcher, RecordWord record);

// The line of read_record; nullopt when the record is whole.
std::optional<std::string> completion_problem(const std::string& directory);

}  // namespace wansweep
