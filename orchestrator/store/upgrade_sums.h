// What versions 6, 8 and 9 have and older versions had not, or had otherwise, from the events and settings of an older
// database.
#pragma once

#include "orchestrator/store/database.h"

namespace wansweep {

// Fills tables step_part, traffic_rate, event_spread and largest_event, and the operations of runs, anew. Within the
// caller's write transaction, after the tables were made.
void fill_sums(Store& store);

}  // namespace wansweep
