#include "orchestrator/plan/matrix.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

Sweep parse(const std::string& text) { return parse_sweep("[sweep]\nname = \"s\"\n" + text, "jobs/s.toml"); }

void expect_bad(const std::string& text, const std::string& part) {
  SCOPED_TRACE(text);
  expect_error(ExitCode::bad_input, part, [&] { parse(text); });
}

TEST(Matrix, ExpandsToEveryCombinationInTheOrderOfTheFile) {
  const Sweep sweep = parse("[matrix]\nranks = [4, 6]\noffload = [\"swap\", \"layerwise\"]\n");
  std::vector<std::string> got;
  for (const Configuration& c : sweep.configurations)
    got.push_back(fmt::format("{}{}", c.spec.ranks, name_of(c.spec.offload)));
  EXPECT_EQ(got, (std::vector<std::string>{"4swap", "4layerwise", "6swap", "6layerwise"}));
}

TEST(Matrix, BaseAppliesToCombinationsAndIncludes) {
  const Sweep sweep = parse("[base]\nsteps = 5\n[matrix]\nranks = [4]\n[[include]]\nranks = 8\n");
  ASSERT_EQ(sweep.configurations.size(), 2u);
  for (const Configuration& c : sweep.configurations) EXPECT_EQ(c.spec.steps, 5);
  EXPECT_EQ(sweep.configurations[1].spec.ranks, 8);
}

TEST(Matrix, ExcludeRemovesWhatMatchesAllItsSettings) {
  const Sweep sweep =
      parse("[matrix]\nranks = [4, 6]\nflow_shift = [12, 3]\n[[exclude]]\nranks = 6\nflow_shift = 3.0\n");
  ASSERT_EQ(sweep.configurations.size(), 3u);
  for (const Configuration& c : sweep.configurations) EXPECT_FALSE(c.spec.ranks == 6 && c.spec.flow_shift == 3.0);
}

TEST(Matrix, ExcludesMayOverlap) {
  const Sweep sweep = parse(
      "[matrix]\nranks = [4, 6]\nflow_shift = [12, 3]\n[[exclude]]\nranks = 6\n[[exclude]]\nranks = 6\nflow_shift = "
      "3\n");
  EXPECT_EQ(sweep.configurations.size(), 2u);
}

TEST(Matrix, PathsAreTakenFromTheCurrentDirectoryAndKeptAbsolute) {
  const Sweep sweep = parse("[base]\nmodel = \"models/./wan\"\n[matrix]\nranks = [4]\n");
  EXPECT_EQ(sweep.configurations[0].spec.model, (std::filesystem::current_path() / "models/wan").string());
}

TEST(Matrix, UnknownKeysNameTheNearestKnownOne) {
  expect_bad("[base]\noffloat = \"swap\"\n[matrix]\nranks = [4]\n", "offload");
  expect_bad("[matrix]\nrank = [4]\n", "ranks");
  expect_bad("[matrix]\nrank = []\n", "ranks");
  expect_bad("[matirx]\nranks = [4]\n", "jobs/s.toml:3: unknown key matirx; did you mean matrix?");
  expect_error(ExitCode::bad_input, "unknown key sweep.repeat; did you mean sweep.repeats?",
               [] { parse_sweep("[sweep]\nname = \"s\"\nrepeat = 3\n", "f.toml"); });
  expect_bad("[matrix]\nranks = [4]\n[[exclude]]\nrankz = 4\n", "ranks");
}

TEST(Matrix, WrongTypesNameFileLineAndField) {
  expect_bad("[base]\nsteps = \"many\"\n[matrix]\nranks = [4]\n", "jobs/s.toml:4: base");
  expect_bad("[base]\nsteps = [1, 2]\n[matrix]\nranks = [4]\n", "lists belong in [matrix]");
  expect_bad("[matrix]\nranks = 4\n", "jobs/s.toml:4: matrix.ranks is an integer; a list is needed");
  expect_bad("[matrix]\nranks = [4, \"six\"]\n", "jobs/s.toml:4: matrix");
  expect_error(ExitCode::bad_input, "f.toml:1: matrix is an integer",
               [] { parse_sweep("matrix = 3\n[sweep]\nname = \"s\"\n", "f.toml"); });
  expect_bad("[matrix]\nranks = [4]\n[include]\nranks = 3\n", "write [[include]]");
  expect_bad("[base]\nseed = 2026-01-01\n[matrix]\nranks = [4]\n", "a date or a time");
}

TEST(Matrix, EmptyMatricesAreRefused) {
  expect_bad("", "[matrix] and [[include]] are missing");
  expect_bad("[matrix]\n", "matrix is empty");
  expect_bad("[matrix]\nranks = []\n", "jobs/s.toml:4: matrix.ranks is an empty list");
  expect_bad("[matrix]\nranks = [4]\n[[exclude]]\nranks = 4\n", "the excludes remove all runs");
}

TEST(Matrix, ValuesGivenTwiceAndExcludesWithoutAMatchAreRefused) {
  expect_bad("[matrix]\nflow_shift = [12, 12.0]\n", "12.0 twice");
  expect_bad("[base]\nranks = 4\n[matrix]\nranks = [4]\n", "set in [base] too");
  expect_bad("[matrix]\nranks = [4]\n[[exclude]]\nranks = 5\n", "jobs/s.toml:5: exclude matches no combination");
  expect_bad("[matrix]\nranks = [4]\n[[exclude]]\n", "exclude is empty; give at least one setting");
  expect_bad("[matrix]\nranks = [4\n", "not TOML");
}

TEST(Matrix, NamesThatWouldNeedQuotingAreRefused) {
  for (const std::string name : {"", "a b", "$(reboot)", "a/b", "..", "-rf", "a\\nb", "it's", "a;b", "`id`"}) {
    SCOPED_TRACE(name);
    expect_error(ExitCode::bad_input, "f.toml:2: sweep.name is",
                 [&] { parse_sweep("[sweep]\nname = \"" + name + "\"\n[matrix]\nranks = [4]\n", "f.toml"); });
  }
}

TEST(Matrix, RepeatsBelowOneAreRefused) {
  expect_error(ExitCode::bad_input, "sweep.repeats is 0",
               [] { parse_sweep("[sweep]\nname = \"s\"\nrepeats = 0\n[matrix]\nranks = [4]\n", "f.toml"); });
}

TEST(Matrix, FilesThatCannotBeReadAreNamed) {
  const TemporaryDirectory directory;
  expect_error(ExitCode::bad_input, "none.toml: cannot be read", [&] { read_sweep(directory / "none.toml"); });
  expect_error(ExitCode::bad_input, "is a directory", [&] { read_sweep(directory.path()); });
}

}  // namespace
}  // namespace wansweep
