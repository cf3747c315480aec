// What `wansweep run` says, and with which exit code, when it cannot start.

#include <algorithm>

#include "base/shell_quote.h"
#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class RunRefusalTest : public ProgramTest {};

TEST_F(RunRefusalTest, AnUnknownMpiIsRefusedBeforeAnyAttempt) {
  const std::string mpirun = write_text(directory_ / "mpirun", "#!/bin/sh\necho HYDRA build details:\n");
  fs::permissions(mpirun, fs::perms::owner_all);
  std::vector<std::string> arguments = run_arguments();
  arguments[5] = mpirun;
  const Result result = finish(start(arguments, "ok"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("is not Open MPI's mpirun"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("HYDRA build details:"), std::string::npos) << result.err;
  EXPECT_TRUE(attempts("a1").empty());
}

TEST_F(RunRefusalTest, OutputThatCannotBeWrittenEndsWithExitCodeThirteen) {
  EXPECT_EQ(run().exit_code, 0);
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"--help"}, {"--version"}, {"status", out_}, {"plan", sweep_, "--json"}}) {
    std::vector<std::string> arguments{std::string(WANSWEEP_BIN_DIR) + "/wansweep"};
    arguments.insert(arguments.end(), verb.begin(), verb.end());
    const Result result = finish(spawn({arguments, {}, "/dev/full", directory_ / "stderr"}));
    EXPECT_EQ(result.exit_code, 13) << verb[0];
    EXPECT_NE(result.err.find("standard output cannot be written"), std::string::npos) << result.err;
  }
}

TEST_F(RunRefusalTest, AnAddressSpaceThatIsTooSmallIsNoDefectOfWansweep) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer reserves more address space than that for itself";
#endif
  std::string command = "ulimit -v 100000; exec " + shell_quote(std::string(WANSWEEP_BIN_DIR) + "/wansweep");
  for (const std::string& word : run_arguments()) command += ' ' + shell_quote(word);
  const Result result = finish(spawn({{"sh", "-c", command}, {}, directory_ / "stdout", directory_ / "stderr"}));
  EXPECT_NE(result.exit_code, 1) << result.err;
  EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST_F(RunRefusalTest, WhatTheMachineLacksIsReportedBeforeAnyAttempt) {
  const auto expect = [&](std::vector<std::string> changes, const std::string& part) {
    std::vector<std::string> arguments{"run", sweep_, "--dir", out_};
    arguments.insert(arguments.end(), changes.begin(), changes.end());
    const Result result = finish(start(arguments, "ok"));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
    EXPECT_TRUE(attempts("a1").empty());
  };
  expect({"--worker", directory_ / "none"}, "no such worker");
  expect({"--worker", "/bin/true", "--mpirun", "no-such-mpirun"}, "no-such-mpirun: not found");
}

TEST_F(RunRefusalTest, TheDirectoryOfAnotherSweepIsRefused) {
  EXPECT_EQ(run().exit_code, 0);
  std::string text = read_text(sweep_);
  write_text(sweep_, text.replace(text.find("\"s\""), 3, "\"t\""));
  const Result result = run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("holds sweep s, not t"), std::string::npos) << result.err;
}

TEST_F(RunRefusalTest, ADirectoryThatCannotBeMadeIsNamed) {
  write_text(out_, "a file");
  const Result result = run();
  EXPECT_EQ(result.exit_code, 13);
  EXPECT_NE(result.err.find("directory cannot be created"), std::string::npos) << result.err;
}

TEST_F(RunRefusalTest, ASweepThatCannotWorkRunsNothing) {
  std::string text = read_text(sweep_);
  write_text(sweep_, text.replace(text.find("[2]"), 3, "[2]\nulysses = [5]"));
  const Result result = run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("1 of 1 configurations cannot run"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(RunRefusalTest, WrongUsageEndsWithOneLineAndExitCodeTwo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"frobnicate"}, {"run"}, {"run", sweep_, "--jobs", "0"}, {"status", out_}}) {
    const Result result = finish(start(arguments, "ok"));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_TRUE(result.err.starts_with("wansweep: ")) << result.err;
  }
}

}  // namespace
}  // namespace wansweep
