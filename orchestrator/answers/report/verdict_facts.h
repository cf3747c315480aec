// The verdict's values, read from the database.
#pragma once

#include <string>

#include "orchestrator/answers/report/verdict.h"
#include "orchestrator/answers/report/way_names.h"
#include "orchestrator/store/database.h"

namespace wansweep {

// Reads the newest complete attempt of each run of `sweep` that no correction replaced. Cases with the model's official
// settings come first; then cases are ordered by their settings and ranks, and ways by name.
VerdictFacts read_verdict_facts(Store& store, const std::string& sweep, const WayNames& names);

}  // namespace wansweep
