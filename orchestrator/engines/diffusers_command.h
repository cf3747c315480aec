// The command of tools/engines/diffusers_run.py for a run, and the check that it can follow the run's settings.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/engines/engine.h"
#include "schema/run_plan.h"

namespace wansweep {

// Throws bad_input, its line beginning with the setting.
void check_diffusers(const RunPlan& plan);

// The whole command: {"python3", "-m", "torch.distributed.run", ..., ".../diffusers_run.py", "--spec", ...}. Throws
// bad_input as share_folder() does, which holds diffusers_run.py.
std::vector<std::string> diffusers_arguments(const RunPlan& plan, const std::string& directory,
                                             const EnginePlaces& places);

}  // namespace wansweep
