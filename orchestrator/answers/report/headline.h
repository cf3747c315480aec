// The verdict on all cases of a sweep, in sentences that can be quoted.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/answers/report/ranking.h"

namespace wansweep {

// Says which way is fastest in how many cases, by how much, what it costs against both experts resident on the device,
// and the device memory that it takes; the first sentence says who won. A difference that the repeats do not confirm is
// never stated without saying so.
std::vector<std::string> headline_of(const std::vector<CaseRanking>& rankings);

}  // namespace wansweep
