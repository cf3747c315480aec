// What a run's ranks do on a machine, as the rates that its schedule is played with.
#pragma once

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/draw.h"
#include "orchestrator/predict/played_schedule.h"
#include "schema/run_plan.h"

namespace wansweep {

// Throws bad_input, its line saying what the machine lacks, when a number is not known that the run's time depends on.
PlayRates rank_rates(const Machine& machine, const RunPlan& plan, Draw& draw);

// Seconds until the host's store of the weights is filled and pinned; 0 where the run keeps none, or the machine does
// not say.
double store_seconds(const Machine& machine, const RunPlan& plan, Draw& draw);

}  // namespace wansweep
