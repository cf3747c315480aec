// Attempts whose wansweep died: which process served them, whether it still runs, and what becomes of them.
#pragma once

#include <optional>
#include <string>

#include "base/process.h"
#include "orchestrator/sweep/attempt.h"

namespace wansweep {

// Every process of a local attempt has this variable in its environment, with the attempt's folder as its value.
inline constexpr const char* attempt_mark = "WANSWEEP_ATTEMPT";
// Throws bad_input when the folder is gone.
std::string attempt_mark_value(const std::string& directory);

// pid.json: which process serves the attempt, so that a later wansweep can tell whether it still runs. Throws
// Error(output).
void write_pid(const Attempt& attempt, int pid);

// What became of the process of pid.json; gone: also where there is no pid.json. Throws bad_input when it cannot be
// read.
ProcessFinding find_launched(const Attempt& attempt);

// Stops what is left of a local attempt, and writes the state that it deserves (attempt_outcome.h).
//
// pid.json lies where others may write, so it is believed only as far as the process itself bears it out: a process of
// this user's, started at that moment, with the attempt's mark in its environment. Any other is left alone, and so is
// the attempt: the result is a line that says why, and no state is written. nullopt: settled.
std::optional<std::string> settle_abandoned(Attempt& attempt);

}  // namespace wansweep
