// Works out the rates at which a run's schedule is played (played_schedule.h) from the numbers of a machine.
#pragma once

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/draw.h"
#include "orchestrator/predict/played_schedule.h"
#include "schema/run_plan.h"

namespace wansweep {

// `draw` decides which value of each number is used. Throws bad_input, with a line that says what the machine lacks,
// when the run's time depends on a number that is not known.
PlayRates rank_rates(const Machine& machine, const RunPlan& plan, Draw& draw);

// Seconds until the host's store of weights is filled and pinned; 0 where the run keeps no such store. A rate that the
// machine lacks counts as no time.
double store_seconds(const Machine& machine, const RunPlan& plan, Draw& draw);

}  // namespace wansweep
