// How long a run is predicted to take, from arithmetic alone: no measurement enters. Slurm jobs ask for this time plus
// a margin. A model with two experts takes no longer than one with a single expert: each forward computes with one.
//
//   compute   forwards x (2 P N + 4 N^2 D L) / (ranks x rate)
//             One expert has P parameters, each multiplied and added once for each of N tokens. In each of L layers,
//             attention has two products of N x N x D.
//   transfer  bytes that cross a rank's link / the link's bandwidth; where ranks share a link, the bytes of all count
//   startup   loading modules, starting MPI, reading weights: the cluster's profile says how long these take
//
// Transfers count even where they hide behind computing, and exchanges between ranks do not count at all; the margin
// makes up for that.
#pragma once

#include "schema/run_plan.h"

namespace wansweep {

struct RunWork {
  double parameters = 0;  // P, parameters of one expert
  double tokens = 0;      // N, tokens of the latents
  double width = 0;       // D, width of the model
  double layers = 0;      // L, blocks of one expert
  double forwards = 0;    // forwards of the whole loop, over all ranks: with guidance two in each step
  double ranks = 1;
  double bytes_over_link = 0;  // bytes over one rank's link in the whole run
  double ranks_sharing_link = 1;
};

struct MachineRates {
  double flops_per_rank = 1e12;  // operations a second, sustained
  double link_bytes_per_second = 1e10;
  double startup_seconds = 0;
};

struct PredictedTime {
  double startup = 0;  // all three in seconds
  double compute = 0;
  double transfer = 0;
  double total() const { return startup + compute + transfer; }
};

PredictedTime predict_time(const RunWork& work, const MachineRates& rates);

RunWork work_of(const RunPlan& plan);

}  // namespace wansweep
