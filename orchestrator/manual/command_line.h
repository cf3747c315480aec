// What the program's command line takes, as a value, read from CLI11's own description: help, completion and the manual
// then cannot differ.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace wansweep {

struct OptionDescription {
  std::vector<std::string> names;  // "-o", "--output"; of an argument by position, its name: "SWEEP"
  bool by_position = false;
  bool takes_value = false;
  bool required = false;
  std::string help;
};

struct CommandDescription {
  std::string name;  // with those of the commands above it: "wansweep cluster check"
  std::string help;
  std::string footer;  // examples, and what else the help ends with
  std::vector<OptionDescription> options;
  std::vector<CommandDescription> verbs;
};

CommandDescription describe_command_line(const CLI::App& app);

}  // namespace wansweep
