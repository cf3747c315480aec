// `wansweep cluster check --job`: whether the worker starts with what a profile loads.
#pragma once

#include "orchestrator/verbs/submit_options.h"

namespace wansweep {

// Submits a short run of the tiny model with random weights on as many ranks as a node takes, two at most, waits for it
// and says what came of it: a line for each of the ranks, MPI, the device and the traces, or why it failed. The result
// is the verb's exit code. `arguments`: cluster, account, directory (empty: a new one in out/) and worker.
int check_by_a_job(SubmitArguments arguments);

}  // namespace wansweep
