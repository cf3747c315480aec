#include "base/terminal/unexpected_argument.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace wansweep {
namespace {

// What is said of these arguments by a program with the verbs plan (JOBS, --json) and cluster check.
std::string said(std::vector<std::string> arguments) {
  CLI::App app("a program", "program");
  std::string jobs;
  CLI::App* plan = app.add_subcommand("plan");
  plan->add_option("JOBS", jobs)->required();
  plan->add_flag("--json");
  CLI::App* cluster = app.add_subcommand("cluster");
  cluster->require_subcommand(1);
  cluster->add_subcommand("check");
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
  } catch (const CLI::ParseError&) {
    return unexpected_argument(app);
  }
  return "accepted";
}

TEST(UnexpectedArgument, AMisspeltVerbIsNamedWithTheNearestOne) {
  EXPECT_EQ(said({"pln", "jobs/demo.toml"}), "unknown verb pln; did you mean plan?");
  EXPECT_EQ(said({"cluster", "chek"}), "unknown verb chek; did you mean check?");
  EXPECT_EQ(said({"frobnicate"}), "unknown verb frobnicate");
}

TEST(UnexpectedArgument, AMisspeltOptionIsNamedWithTheNearestOneAlsoWhereAnotherArgumentIsMissing) {
  EXPECT_EQ(said({"plan", "jobs/demo.toml", "--jsn"}), "unknown option --jsn; did you mean --json?");
  EXPECT_EQ(said({"plan", "--jsn=1"}), "unknown option --jsn; did you mean --json?");
  EXPECT_EQ(said({"plan", "a", "b"}), "unexpected argument b");
}

TEST(UnexpectedArgument, OtherErrorsAreLeftToTheParser) {
  EXPECT_EQ(said({"plan"}), "");
  EXPECT_EQ(said({"plan", "a"}), "accepted");
}

}  // namespace
}  // namespace wansweep
