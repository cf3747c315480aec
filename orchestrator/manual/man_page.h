// The manual page as man(7) text: one section for each verb, and the table of exit codes.
#pragma once

#include <string>

#include "orchestrator/manual/command_line.h"

namespace wansweep {

std::string man_page(const CommandDescription& program);

}  // namespace wansweep
