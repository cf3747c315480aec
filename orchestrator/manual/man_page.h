// The manual page, as man(7) text: one section a verb, the exit codes from their table.
#pragma once

#include <string>

#include "orchestrator/manual/command_line.h"

namespace wansweep {

std::string man_page(const CommandDescription& program);

}  // namespace wansweep
