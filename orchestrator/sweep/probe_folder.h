// The directory of a probe (orchestrator/probe) looks like a sweep's, so that its attempts are launched, judged and
// shown alike. They are no runs.
#pragma once

#include <string>

namespace wansweep {

// Throws bad_input when the attempts in `sweep_directory` are probes: there is nothing to gather of them, nor to run
// again. Looks at one of them. Nothing for a directory without attempts, or whose first cannot be read: others say so.
void refuse_probes(const std::string& sweep_directory);

}  // namespace wansweep
