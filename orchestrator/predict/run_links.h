// The links of one run on a machine: how fast a rank copies weights and how fast it exchanges with its peers, each
// alone and while the other goes on.
//
// On a real machine the rates are those measured with as many ranks as the run has on a node. Where that count was not
// measured, a rank has the rate of the next larger measured count. Beyond the largest measured count, the ranks divide
// among them what all ranks of that count had together.
//
// On the cpu backend's emulated link, users take turns of 256 KiB each (worker/device/cpu/link.h). The users are the
// ranks that share the link, and on each rank its copies and its exchanges. So an exchange beside copies waits, before
// each of its turns, for a turn of every copy.
#pragma once

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/draw.h"
#include "orchestrator/predict/played_schedule.h"
#include "schema/run_plan.h"

namespace wansweep {

// In bytes a second, except the latency.
struct CopyRates {
  double in = 0, out = 0;
  double latency = 0;  // seconds
};

// The number of the run's ranks on one node. Throws bad_input when they do not all fit on one node: a machine has no
// rates of exchanges between nodes.
int64_t ranks_of_node(const Machine& machine, const RunPlan& plan);

// The rates of copying weights. This function and those below throw bad_input, with a line that names the rate, when
// the machine lacks a rate that they need.
CopyRates copy_rates(const Machine& machine, const RunPlan& plan, Draw& draw);

// An exchange in which `bytes` leave each rank.
PlayExchange exchange_of(const Machine& machine, const RunPlan& plan, double bytes, Draw& draw);

// Rates, in bytes a second, for ranks of a node that each copy a part of every block and send it to the others. `own`:
// the rate at which a rank copies its part. `others`: the rate at which it receives the other parts.
struct PartRates {
  double own = 0;
  double others = 0;
};
PartRates part_rates(const Machine& machine, const RunPlan& plan, const CopyRates& copies, Draw& draw);

}  // namespace wansweep
