// Checks the name of a run that a person gave.
#pragma once

#include <string>

#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/sweep_directory.h"

namespace wansweep {

// Throws bad_input, naming the nearest run, unless the sweep lists the run (now, or before its file was edited) or has
// an attempt of it.
void check_run_is_known(const std::string& run, const SweepRecord& record, const AttemptFolder& attempts,
                        const std::string& directory);

}  // namespace wansweep
