// Converts Slurm's final states of a job to ends of an attempt, and back.
#pragma once

#include "orchestrator/sweep/attempt_state.h"
#include "slurm/job_state.h"

namespace wansweep {

// `state` must be terminal. Throws Error(internal) for any other: an attempt never ends while its job may live.
AttemptEnd end_of(JobState state);

// `withdrawn` gives `unknown`: Slurm never had the job.
JobState job_state_of(AttemptEnd end);

}  // namespace wansweep
