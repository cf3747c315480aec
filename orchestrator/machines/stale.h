// Whether a machine's file still speaks of the machine that one is on.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/machines/machine_file.h"
#include "orchestrator/machines/this_machine.h"

namespace wansweep {

// In words, one a reason, why what was measured for `machine` no longer holds on `here`: "it was measured with driver
// 570.86, and 580.95 is here now". `version`: of wansweep now. Empty: nothing speaks against it, or it was not measured
// (facts), or `here` does not tell: a login node has no GPU, and says nothing of those that do.
std::vector<std::string> stale_reasons(const Machine& machine, const SeenMachine& here, const std::string& version);

// read_machine for a prediction: also says on standard error, a line a reason, why the file may no longer hold here.
MachineFile read_machine_to_predict(const std::string& name);

}  // namespace wansweep
