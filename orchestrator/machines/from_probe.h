// What probes measured, as a machine: medians with the 10 % to 90 % range of the repeats, rates and latencies by least
// squares over sizes. What was not measured is not known, and not guessed.
#pragma once

#include <span>
#include <string>

#include "orchestrator/machines/machine.h"
#include "schema/probe/record.h"

namespace wansweep {

// `records`: of one machine, of one or several numbers of ranks; at least one. Throws bad_input when they are of
// different cards, drivers or hosts' kinds.
Machine machine_from(std::span<const ProbeRecord> records, const std::string& name);

}  // namespace wansweep
