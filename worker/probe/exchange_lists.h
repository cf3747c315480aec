// The exchanges that a probe measures, over the buffers in which a run makes its own.
#pragma once

#include <vector>

#include "worker/comm/communicator.h"
#include "worker/probe/bench.h"

namespace wansweep {

// An all-to-all among the Ulysses ranks of this rank's group: this rank sends `bytes` of each of `tensors` (1 to 3)
// tensors to each of them, itself included. Empty when the group has only one rank.
std::vector<Exchange> all_to_all(const Bench& bench, int64_t bytes, int tensors);
// The largest `bytes` that all_to_all takes: as much of one tensor as a run sends to one rank.
int64_t all_to_all_room(const Bench& bench);
// How many bytes these exchanges send from this rank to others.
int64_t sent_to_others(const Bench& bench, const std::vector<Exchange>& exchanges);

}  // namespace wansweep
