// The completion script for a shell: completes verbs and options by name, and everything else as files.
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
