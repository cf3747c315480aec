// Plays a schedule: simulates how one rank goes through its loop on a machine of given rates, and so predicts how long
// each step takes. No measurement of a run enters.
//
// The simulated rank has three streams, as the worker has. The compute stream goes through the schedule's uses of
// blocks. Each use is a sequence of pieces; a piece computes and exchanges at the same time, and is over when both are.
// The copy stream makes the schedule's copies one after the other. A copy does not start before the use that the
// schedule names for it. Where copies yield, it pauses from the time at which a block's first exchange moves data until
// the block's last exchange is over, as the worker's gate makes it (Burst in worker/comm/communicator.h). A use waits
// until its block has arrived, and until blocking copies are done, during which nothing is computed. Where ranks bring
// parts of a block for each other, the parts from the peers arrive on a third stream, after the copy. A copy and an
// exchange that run at the same time each have the rate measured beside the other.
//
// The ranks of a run are taken to be alike: one of them is played, and its rates account for what the ranks share. Only
// the times of copies tell of the rank that computes fastest: while it waits for the slowest, its copies are exposed.
#pragma once

#include <span>
#include <vector>

#include "schema/memory_estimate.h"
#include "schema/schedule.h"

namespace wansweep {

// An exchange with the peers. `bytes` counts the bytes that leave this rank; rates are in bytes a second.
struct PlayExchange {
  double latency = 0;  // seconds before data moves, waiting for peers included; copies go on undisturbed
  double bytes = 0;
  double rate = 1;
  double rate_beside_copies = 1;
  double copy_rate = 1;  // rate of the copies that run beside this exchange
};

// Computing and an exchange, side by side.
struct PlayPiece {
  double seconds = 0;  // how long the computing takes
  PlayExchange exchange = {};
};

struct PlayRates {
  // `block`: the pieces of a block in one forward. `shared_block`: those of the first block of a step's second forward,
  // where one rank makes both forwards: that block reuses the self-attention of the first. When a use serves both
  // forwards, it plays the pieces of one and then those of the other. An empty shared_block means the same as `block`.
  std::vector<PlayPiece> block, shared_block;
  std::vector<PlayPiece> after_blocks;  // what each step takes outside its blocks
  double in = 1, out = 1;               // bytes a second of a copy with no exchange beside it
  double copy_latency = 0;              // seconds that a copy takes however few its bytes are
  double waits = 0;                     // share of computing for which the fastest rank waits for the slowest
  double computing_beside_copies = 1;   // share of its full speed at which computing goes on while a copy runs
  bool yields = false;                  // copies wait, chunk by chunk, while a block exchanges
  double chunk_bytes = 0;               // 0: copies are not cut
  int sharers = 1;                      // ranks that bring a part of each block for each other
  double parts_rate = 1;                // bytes a second at which a rank gets the parts that its peers bring
};

struct PlayedStep {
  double seconds = 0;
  // Of the rank that computes fastest:
  double exposed = 0;  // the part of `seconds` in which a copy ran and nothing was computed
  double hidden = 0;   // the part in which a copy ran beside computing
};

struct Played {
  double first_load = 0;          // seconds in copies before the loop
  std::vector<PlayedStep> steps;  // steps[0] is step 1
};

// `schedule` must be a schedule of exactly these `uses`.
Played play(const Schedule& schedule, std::span<const Use> uses, const WeightBytes& weights, const PlayRates& rates);

}  // namespace wansweep
