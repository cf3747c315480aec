// What a person gave as the name of a run.
#pragma once

#include <string>

#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/sweep_directory.h"

namespace wansweep {

// Throws bad_input, with the nearest name, when the sweep neither lists such a run, now or before its file was edited,
// nor has an attempt of it.
void check_run_is_known(const std::string& run, const SweepRecord& record, const AttemptFolder& attempts,
                        const std::string& directory);

}  // namespace wansweep
