// What the verdict says of one case: a few sentences, and a line for each way.
#pragma once

#include <string>

#include "orchestrator/answers/report/ranking.h"
#include "orchestrator/answers/report/verdict.h"

namespace wansweep {

SweepVerdict::Case case_verdict(const CaseRanking& ranking);

// Whether the ways computed the same latents, and finite ones. Empty when that is not known, or only one way ran.
std::string latents_of(const CaseRanking& ranking);

}  // namespace wansweep
