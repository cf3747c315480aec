// The links of one run on a machine: how fast a rank copies and exchanges, alone and beside each other.
//
// On a real machine these are the numbers that it has for so many ranks, or what follows from those for another count:
// up to a measured count each rank has what a rank has there at least, and beyond it the ranks share what all had.
//
// On the cpu backend's emulated link users take turns, 256 KiB at a time (worker/device/cpu/link.h): ranks of a shared
// link, and copies and exchanges. So an exchange beside copies waits, each turn, for a turn of every copy.
#pragma once

#include "orchestrator/machines/machine.h"
#include "orchestrator/predict/draw.h"
#include "orchestrator/predict/played_schedule.h"
#include "schema/run_plan.h"

namespace wansweep {

// Bytes a second unless something else is said.
struct CopyRates {
  double in = 0, out = 0;
  double latency = 0;  // seconds
};

// Ranks of the run that share a node. Throws bad_input when the machine's nodes do not hold them all: it has no rates
// of exchanges between nodes.
int64_t ranks_of_node(const Machine& machine, const RunPlan& plan);

// Of weights. Throws bad_input, as the others, naming the rate that the machine lacks.
CopyRates copy_rates(const Machine& machine, const RunPlan& plan, Draw& draw);

// One in which `bytes` leave each rank.
PlayExchange exchange_of(const Machine& machine, const RunPlan& plan, double bytes, Draw& draw);

// With the ranks of a node bringing parts of each block for each other: at which rate a rank brings its own part, and
// gets the others.
struct PartRates {
  double own = 0;
  double others = 0;
};
PartRates part_rates(const Machine& machine, const RunPlan& plan, const CopyRates& copies, Draw& draw);

}  // namespace wansweep
