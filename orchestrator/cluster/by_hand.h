// Scripts that `wansweep generate` wrote for a person: submitted with sbatch, run by bash, or left.
#pragma once

#include "orchestrator/sweep/attempt.h"

namespace wansweep {

// Of an attempt without an end that no job ran: when its record is whole, somebody ran its script by hand; then the
// attempt is recorded as completed. Returns whether it was. Throws Error(output).
bool record_run_by_hand(Attempt& attempt);

}  // namespace wansweep
