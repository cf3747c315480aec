// How long a run is predicted to take, from arithmetic alone: no measurement enters. Slurm jobs ask for it, with a
// margin. Two experts take no longer than one: a forward computes with one of them.
//
//   compute   forwards x (2 P N + 4 N^2 D L) / (ranks x rate)
//             P parameters of one expert, each multiplied and added once for each of N tokens; attention's two
//             products of N x N x D in each of L layers
//   transfer  bytes that cross a rank's link, over its bandwidth; where ranks share the link, each waits for all
//   startup   modules, MPI, reading weights: what the cluster's profile says
//
// Transfer that hides behind compute is counted all the same, and the ranks' exchanges are not: the margin is for that.
#pragma once

#include "schema/run_plan.h"

namespace wansweep {

struct RunWork {
  double parameters = 0;  // P: of one expert
  double tokens = 0;      // N
  double width = 0;       // D
  double layers = 0;      // L
  double forwards = 0;    // of the whole loop, over all ranks: two a step with guidance
  double ranks = 1;
  double bytes_over_link = 0;  // of one rank, in the whole run
  double ranks_sharing_link = 1;
};

struct MachineRates {
  double flops_per_rank = 1e12;  // sustained, a second
  double link_bytes_per_second = 1e10;
  double startup_seconds = 0;
};

struct PredictedTime {
  double startup = 0;  // seconds, all three
  double compute = 0;
  double transfer = 0;
  double total() const { return startup + compute + transfer; }
};

PredictedTime predict_time(const RunWork& work, const MachineRates& rates);

RunWork work_of(const RunPlan& plan);

}  // namespace wansweep
