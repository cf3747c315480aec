// How a rank's loop goes on a machine of given rates: a schedule, played. A prediction; no measurement of a run enters.
//
// Three streams, as the worker has them. The compute stream goes through the uses, each a sequence of pieces; a piece
// computes and exchanges at the same time, and is over when both are. The copy stream makes the schedule's copies one
// after the other, none before the use that it starts with, and not while an exchange moves data where copies yield; a
// use waits for its block, and for copies that nothing is computed beside. Parts that peers bring for each other follow
// on a third stream. A copy and an exchange that run at the same time have the rates that they have beside each other.
//
// The ranks of a run are alike: one of them is played, and what they share is in its rates.
#pragma once

#include <span>
#include <vector>

#include "schema/memory_estimate.h"
#include "schema/schedule.h"

namespace wansweep {

// An exchange with the peers. Bytes are those that leave the rank, rates bytes a second.
struct PlayExchange {
  double latency = 0;  // seconds before data moves, and waiting for peers; copies run as if there were none
  double bytes = 0;
  double rate = 1;
  double rate_beside_copies = 1;
  double copy_rate = 1;  // of the copies beside it
};

// Computing and an exchange, side by side.
struct PlayPiece {
  double seconds = 0;  // of computing
  PlayExchange exchange = {};
};

struct PlayRates {
  // Of a block in one forward, and of the first block of a step's second forward where a rank makes both: that one
  // finds its self-attention done. A use for both forwards is both, one after the other. Empty: as `block`.
  std::vector<PlayPiece> block, shared_block;
  std::vector<PlayPiece> after_blocks;  // of a step: what it takes beside its blocks
  double in = 1, out = 1;               // bytes a second of a copy, no exchange beside it
  double copy_latency = 0;              // seconds that a copy takes beside its bytes
  double computing_beside_copies = 1;   // the share of its speed that computing has while a copy runs
  bool yields = false;                  // copies wait, chunk by chunk, while an exchange moves data
  double chunk_bytes = 0;               // 0: copies are not cut
  int sharers = 1;                      // ranks that bring a part of each block for each other
  double parts_rate = 1;                // at which a rank gets the other parts
};

struct PlayedStep {
  double seconds = 0;
  double exposed = 0;  // of these, in copies while nothing was computed
};

struct Played {
  double first_load = 0;          // seconds in copies before the loop
  std::vector<PlayedStep> steps;  // from 1: [0] is step 1
};

// `schedule` must be one of `uses`.
Played play(const Schedule& schedule, std::span<const Use> uses, const WeightBytes& weights, const PlayRates& rates);

}  // namespace wansweep
