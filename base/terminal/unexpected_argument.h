// Names the argument of a command line that the program does not know, and what may have been meant.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace wansweep {

// After app.parse() threw: "unknown option --offlod; did you mean --offload?", "unknown verb pln; did you mean plan?".
// Empty when every argument is known, so that the error is another. Subcommands are called verbs. The argument is shown
// as it was given: apply printable().
std::string unexpected_argument(const CLI::App& app);

// The line for a command line that app.parse() refused: what is wrong, and the command (`help`) that says more.
std::string refusal_of(const CLI::App& app, const CLI::ParseError& error, const std::string& help);

}  // namespace wansweep
