// `wansweep cluster check --job`: tests whether the worker starts on a cluster with its profile.
#pragma once

#include "orchestrator/verbs/submit_options.h"

namespace wansweep {

// Submits a short run of the tiny model with random weights, on at most two ranks of a node, waits for it, and prints a
// line on the ranks, MPI, the device and the traces, or why the run failed. Returns the verb's exit code. Uses the
// cluster, account, directory (empty: a new one in out/) and worker of `arguments`.
int check_by_a_job(SubmitArguments arguments);

}  // namespace wansweep
