// Makes a machine (machine.h) of what probes measured. Its times are the medians of the repeats, with the range from
// the 10th to the 90th percentile; its rates and latencies are fitted to several sizes by least squares. A number that
// no probe measured stays unknown; it is not guessed.
#pragma once

#include <span>
#include <string>

#include "orchestrator/machines/machine.h"
#include "schema/probe/record.h"

namespace wansweep {

// `records` holds at least one probe of the machine, or several with different numbers of ranks. `name` becomes the
// machine's name. Throws bad_input when the records come from different cards, drivers or kinds of host.
Machine machine_from(std::span<const ProbeRecord> records, const std::string& name);

}  // namespace wansweep
