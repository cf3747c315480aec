// Tells whether a machine's file still describes the machine that this program runs on.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/machines/machine_file.h"
#include "orchestrator/machines/this_machine.h"

namespace wansweep {

// The reasons why the numbers measured for `machine` may not hold on `here`, each in words: "it was measured with
// driver 570.86, and 580.95 is here now". `version` is the version of wansweep that runs now. The list is empty when
// there is no such reason, when the machine was not measured (its source is facts), and when `here` cannot tell: a
// login node has no GPU, which says nothing of the nodes that have one.
std::vector<std::string> stale_reasons(const Machine& machine, const SeenMachine& here, const std::string& version);

// read_machine, for use before a prediction. It also writes the reasons why the file may not hold here to standard
// error, one on each line.
MachineFile read_machine_to_predict(const std::string& name);

}  // namespace wansweep
