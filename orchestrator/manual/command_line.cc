#include "orchestrator/manual/command_line.h"

#include <CLI/CLI.hpp>

namespace wansweep {
namespace {

OptionDescription describe(const CLI::Option& option) {
  OptionDescription description;
  for (const std::string& name : option.get_snames()) description.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) description.names.push_back("--" + name);
  description.by_position = description.names.empty();
  if (description.by_position) description.names.push_back(option.get_name(true));
  description.takes_value = option.get_items_expected_max() > 0;
  description.required = option.get_required();
  description.help = option.get_description();
  return description;
}

CommandDescription describe(const CLI::App& app, const std::string& above) {
  CommandDescription description;
  description.name = above + app.get_name();
  description.help = app.get_description();
  description.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) description.options.push_back(describe(*option));
  for (const CLI::App* verb : app.get_subcommands({})) {
    description.verbs.push_back(describe(*verb, description.name + " "));
  }
  return description;
}

}  // namespace

CommandDescription describe_command_line(const CLI::App& app) { return describe(app, ""); }

}  // namespace wansweep
