// Sets the switch step that wansweep concluded for a run made elsewhere against the times of the run's steps.
//
// Nobody told the run's flow_shift, and the release's own for the model's path was taken. A flag may have given SGLang
// another; then the experts switched at another step. With swap and snapshot a whole expert moves in that step, which
// shows in its time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schema/run_settings.h"
#include "schema/trace_rows.h"

namespace wansweep {

// When one step other than the first and the concluded one takes several times the median: makes flow_shift unknown,
// and of each rank's steps what followed from it (expert, timestep and sigma become 0), so that no wrong figure is
// shown; returns a line that says why, and which flow_shift would agree. Otherwise changes nothing. Only for runs of
// another engine: the worker records its switch.
std::optional<std::string> doubt_concluded_switch(RunSettings& settings, const std::vector<TraceRows*>& ranks);

}  // namespace wansweep
