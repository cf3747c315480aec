// Completion of the command line, as the text that a shell reads: verbs and options by name, everything else as files.
#pragma once

#include <string>
#include <string_view>

#include "base/enum_names.h"
#include "orchestrator/manual/command_line.h"

namespace wansweep {

enum class Shell { bash, zsh };

constexpr std::string_view name_of(Shell shell) {
  switch (shell) {
    case Shell::bash:
      return "bash";
    case Shell::zsh:
      return "zsh";
  }
  return {};
}

std::string completion_for(Shell shell, const CommandDescription& program);

}  // namespace wansweep
