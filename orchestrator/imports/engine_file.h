// Finds the kind of an engine's file by its content, not its name, and reads it.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"
#include "orchestrator/imports/kernel_classes.h"

namespace wansweep {

// Reads a file of an engine and computes its digest. When the file does not tell its rank, the rank is taken from a
// name such as "...rank3.trace.json.gz" or "rank-0003". Throws bad_input naming the file and what would be right.
EngineTrace read_engine_file(const std::string& file, KernelClasses& classes);

}  // namespace wansweep
