// Attempts whose wansweep died: finds their process, stops it if it still runs, and records the end.
#pragma once

#include <optional>
#include <string>

#include "base/process.h"
#include "orchestrator/sweep/attempt.h"

namespace wansweep {

// Every process of a local attempt has this environment variable; its value identifies the attempt's folder.
inline constexpr const char* attempt_mark = "WANSWEEP_ATTEMPT";
// The value for an attempt's folder. Throws bad_input when the folder does not exist.
std::string attempt_mark_value(const std::string& directory);

// Writes pid.json, the identity of the attempt's process, so that a later wansweep can tell whether it still runs.
// Throws Error(output).
void write_pid(const Attempt& attempt, int pid);

// The state of the process in pid.json; `gone` also when there is no pid.json. Throws bad_input when the file cannot be
// read.
ProcessFinding find_launched(const Attempt& attempt);

// Stops the processes of a local attempt that are left, and writes its state by the rule in attempt_outcome.h. nullopt
// when the attempt is settled.
//
// Others may be able to write pid.json, so it is trusted only if the process confirms it: it belongs to this user,
// started at the recorded time, and has the attempt's mark in its environment. Any other process is left alone, and so
// is the attempt: then the result is a line that says why, and no state is written.
std::optional<std::string> settle_abandoned(Attempt& attempt);

}  // namespace wansweep
