// When an exchange could begin to move data: a rank that arrives early waits, within its event, for the last of its
// group.
#pragma once

#include <cstdint>
#include <vector>

#include "orchestrator/store/sums/attempt_events.h"

namespace wansweep {

// By rank (in the order given) and by event: when its data could begin to move, which is when the last of the ranks
// that it exchanges with had begun the same exchange; never before its own start nor after its end. Of an event that is
// neither an exchange nor weight_parts, its start.
//
// A rank's partners: all_to_all, its Ulysses group, or, outside of a block, the rank that makes the other half of the
// guidance; ring, the neighbours; weight_parts, the ranks of its host. Where the spread is not known, all ranks with an
// exchange of that name. The same exchange is the n-th of its kind in the same step, forward and block: a group posts
// the same ones in the same order.
std::vector<std::vector<int64_t>> moving_since(const AttemptEvents& attempt);

}  // namespace wansweep
