// How an attempt ended: one rule for local and Slurm runs, from the launcher's result and the completion record.
//
//                             the completion record is
//   the launcher's result     whole        absent or wrong    unreadable
//   exit_zero                 completed    failed             not decided
//   exit_other                failed       failed             failed
//   struck                    completed    as struck          not decided
//   none                      completed    as struck          not decided
//
// The worker writes its record last, when all results are on disk: an event from outside after that (a signal, a time
// limit, a node's failure) does no harm. But an exit code other than 0 of its own means that something went wrong, even
// with a whole record. A record that cannot be read is neither present nor absent: nothing is decided, and the attempt
// is judged again another time.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/sweep/attempt_state.h"

namespace wansweep {

enum class LauncherWord {
  exit_zero,   // mpirun, or the job, ended by itself with 0
  exit_other,  // mpirun, or the job, ended by itself with another exit code
  struck,      // ended from outside: by a signal, a cancellation, a limit, or its node
  none,        // the launcher died, or Slurm has forgotten the job
};

struct LauncherWitness {
  LauncherWord word = LauncherWord::none;
  AttemptEnd struck_as = AttemptEnd::cancelled;  // the end, when neither exit code nor record decides it
};

enum class RecordWord {
  whole,       // completed.json exists, and traces and result match it
  absent,      // completed.json does not exist
  wrong,       // completed.json exists, but traces or result do not match it
  unreadable,  // completed.json exists or may exist, but cannot be read
};

struct RecordWitness {
  RecordWord word = RecordWord::absent;
  std::string line;  // what is wrong, with the file's name; empty when whole
};

// Reads completed.json, and compares traces and result with it. Does not throw for any fault of a file.
RecordWitness read_record(const std::string& directory);

// The rule above; nullopt: not decided.
std::optional<AttemptEnd> outcome_of(const LauncherWitness& launcher, RecordWord record);

// The line of read_record(); nullopt when the record is whole.
std::optional<std::string> completion_problem(const std::string& directory);

}  // namespace wansweep
