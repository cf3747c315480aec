// What a probe measures for a sweep: each distinct shape of its runs, once, in as few starts of the worker as there are
// numbers of ranks and ways to start them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "schema/probe/record.h"

namespace wansweep {

inline constexpr double default_probe_seconds = 90;

// The configurations of `jobs` that the worker runs, on as many ranks as `ranks` names (empty: all there are), as a
// plan of probes: a configuration for each start, with the shapes that it measures and its share of `seconds`. Shapes
// and starts are in the order of the sweep; of several that would do, a start takes the settings that need the least of
// the host's memory. Throws bad_input when nothing is left to measure, or a number of ranks is none of the sweep's.
Plan plan_probe(const Plan& jobs, const std::vector<int64_t>& ranks, double seconds);

// What the attempts of such a plan left in `directory`, in its order. Throws bad_input when one is not whole, with what
// the worker said.
std::vector<ProbeRecord> read_probe_records(const std::string& directory, const Plan& probes);

}  // namespace wansweep
