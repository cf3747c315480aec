// To version 4: the first load of weights out of step 1, as far as the events of older databases tell.
#pragma once

#include "orchestrator/store/database.h"

namespace wansweep {

// What correct_format_1 (first_load.h) does for a trace, for every attempt in the database: events, steps, times and
// sums are then as if its traces were gathered today. Within the caller's write transaction, after 0004.sql.
void separate_first_loads(Store& store);

}  // namespace wansweep
