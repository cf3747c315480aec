// Shell completion and the manual page, made from the program's own command line; `make install` installs them.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/exit_codes.h"
#include "orchestrator/manual/completion.h"
#include "orchestrator/manual/man_page.h"
#include "orchestrator/verbs/verbs.h"

namespace wansweep {
namespace {

int print_completion(const CLI::App& app, const std::string& name) {
  const std::optional<Shell> shell = value_named<Shell>(name);
  if (!shell) throw bad_input(fmt::format("SHELL is {}; bash or zsh is needed", name));
  fmt::print("{}", completion_for(*shell, describe_command_line(app)));
  return static_cast<int>(ExitCode::ok);
}

int print_manual(const CLI::App& app) {
  fmt::print("{}", man_page(describe_command_line(app)));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_manual(CLI::App& app, Action& action) {
  auto shell = std::make_shared<std::string>();
  CLI::App* completion = app.add_subcommand("completion", "Print a shell's completion script for wansweep");
  completion->add_option("SHELL", *shell, "bash or zsh")->required();
  completion->footer("Example:\n  source <(wansweep completion bash)");
  completion->callback([&app, shell, &action] { action = [&app, shell] { return print_completion(app, *shell); }; });
  CLI::App* manual = app.add_subcommand("manual", "Print the manual page");
  manual->footer("Example:\n  wansweep manual | man -l -");
  manual->callback([&app, &action] { action = [&app] { return print_manual(app); }; });
}

}  // namespace wansweep
