// Shapes of a probe whose blocks compute the same. A probe measures them minutes apart, so that together they tell how
// much the machine varies over minutes; the repeats of one shape, seconds apart, do not.
#pragma once

#include <vector>

#include "orchestrator/machines/machine.h"

namespace wansweep {

// Whether blocks of both shapes do the same work: shapes may differ in the order of guidance, in whether there is
// guidance, and in how their exchanges are grouped.
bool same_computing(const ProbeShape& a, ProbeShape b);

// Gives the times of blocks that compute the same one spread: from the lowest low to the highest high of them. They get
// one doubt, because a machine that is slow for minutes is slow for all of them. Times with exchanges are alike only
// where the setting exchange_groups is the same. A time that only one shape has stays as it is.
void share_spreads(std::vector<BlockTimes>& shapes);

}  // namespace wansweep
