// Slurm's ends of a job as ends of an attempt, and back.
#pragma once

#include "orchestrator/sweep/attempt_state.h"
#include "slurm/job_state.h"

namespace wansweep {

// Of a state that is_terminal. Throws Error(internal) for any other: nothing ends an attempt while its job may live.
AttemptEnd end_of(JobState state);

// `withdrawn` is `unknown`: Slurm never had it.
JobState job_state_of(AttemptEnd end);

}  // namespace wansweep
