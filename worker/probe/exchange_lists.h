// The exchanges that a probe measures, over the buffers in which a run makes its own.
#pragma once

#include <vector>

#include "worker/comm/communicator.h"
#include "worker/probe/bench.h"

namespace wansweep {

// Among the Ulysses ranks of this rank's group: to each one, and to this rank itself, `bytes` of each of `tensors` (1
// to 3) tensors. Empty when the plan has but one such rank.
std::vector<Exchange> all_to_all(const Bench& bench, int64_t bytes, int tensors);
// The most bytes that it may be: as much as a run exchanges of a tensor.
int64_t all_to_all_room(const Bench& bench);
// Bytes that leave this rank.
int64_t sent_to_others(const Bench& bench, const std::vector<Exchange>& exchanges);

}  // namespace wansweep
