// Which kind of file it is, by what it holds, not by its name; and reading it.
#pragma once

#include <string>

#include "orchestrator/imports/engine_trace.h"
#include "orchestrator/imports/kernel_classes.h"

namespace wansweep {

// Reads a file of an engine, with its digest. A rank that the file does not tell is taken from a name like
// "...rank3.trace.json.gz" or "rank-0003". Throws bad_input naming the file and what would be right.
EngineTrace read_engine_file(const std::string& file, KernelClasses& classes);

}  // namespace wansweep
