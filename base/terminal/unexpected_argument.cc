#include "base/terminal/unexpected_argument.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "base/nearest_name.h"

namespace wansweep {
namespace {

// The app itself, or the innermost of its subcommands that was given.
const CLI::App& given_app(const CLI::App& app) {
  const CLI::App* innermost = &app;
  while (!innermost->get_subcommands().empty()) innermost = innermost->get_subcommands().front();
  return *innermost;
}

std::string unknown_option(const CLI::App& app, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& each : option->get_lnames()) known.push_back("--" + each);
  }
  return "unknown option " + name + did_you_mean(name, {known.begin(), known.end()});
}

}  // namespace

std::string unexpected_argument(const CLI::App& app) {
  const CLI::App& given = given_app(app);
  const std::vector<std::string> left = given.remaining();
  if (left.empty()) return "";
  const std::string& first = left.front();
  if (first.starts_with("-")) return unknown_option(given, first);
  const auto verbs = given.get_subcommands([](const CLI::App*) { return true; });
  if (verbs.empty()) return "unexpected argument " + first;
  std::vector<std::string> known;
  for (const CLI::App* verb : verbs) known.push_back(verb->get_name());
  return "unknown verb " + first + did_you_mean(first, {known.begin(), known.end()});
}

std::string refusal_of(const CLI::App& app, const CLI::ParseError& error, const std::string& help) {
  const std::string unknown = unexpected_argument(app);
  const std::string line = unknown.empty() ? error.what() : unknown;
  return line + (line.ends_with('?') ? " see " : "; see ") + help;
}

}  // namespace wansweep
