// The program's verbs and options as a value, read from CLI11's description, so that help, completion and the manual
// cannot differ.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace wansweep {

struct OptionDescription {
  std::vector<std::string> names;  // "-o", "--output"; for a positional argument its name: "SWEEP"
  bool by_position = false;
  bool takes_value = false;
  bool required = false;
  std::string help;
};

struct CommandDescription {
  std::string name;  // the full name: "wansweep cluster check"
  std::string help;
  std::string footer;  // the end of the help: exit codes and examples
  std::vector<OptionDescription> options;
  std::vector<CommandDescription> verbs;
};

CommandDescription describe_command_line(const CLI::App& app);

}  // namespace wansweep
