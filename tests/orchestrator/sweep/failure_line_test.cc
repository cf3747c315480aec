// What is said of an attempt whose worker left no failure.json: its last words, as far as they are its own.

#include <gtest/gtest.h>

#include <string>

#include "base/files.h"
#include "orchestrator/sweep/attempt.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

constexpr const char* only_a_code =
    "--------------------------------------------------------------------------\n"
    "Primary job  terminated normally, but 1 process returned\n"
    "a non-zero exit code. Per user-direction, the job has been aborted.\n"
    "--------------------------------------------------------------------------\n"
    "--------------------------------------------------------------------------\n"
    "mpirun detected that one or more processes exited with non-zero status, thus causing\n"
    "the job to be terminated. The first process to do so was:\n\n"
    "  Process name: [[29731,1],0]\n"
    "  Exit code:    1\n"
    "--------------------------------------------------------------------------\n";

class FailureLineTest : public testing::Test {
 protected:
  std::string said(const std::string& standard_error) const {
    write_file_atomically(directory_ / "stderr.log", standard_error);
    return failure_line(directory_.path());
  }
  TemporaryDirectory directory_;
};

TEST_F(FailureLineTest, AnExitCodeAloneIsNoReason) {
  EXPECT_EQ(said(only_a_code), "a rank ended with a non-zero exit code and printed no reason");
}

TEST_F(FailureLineTest, WhatAnotherProgramSaidBeforeIsItsReason) {
  EXPECT_EQ(said(std::string("worker: libhdf5.so.200: cannot open shared object file\n") + only_a_code),
            "worker: libhdf5.so.200: cannot open shared object file");
}

TEST_F(FailureLineTest, OtherWordsOfMpirunCount) {
  const std::string frame(74, '-');
  EXPECT_EQ(said(frame + "\nThere are not enough slots available in the system\n" + frame + "\n"),
            "There are not enough slots available in the system");
}

TEST_F(FailureLineTest, ACodeBelowTenWithoutARecordIsNotTakenForTheWorkers) {
  Attempt attempt;
  attempt.directory = directory_.path();
  attempt.state = AttemptState{};
  attempt.state->exit_code = 1;
  EXPECT_EQ(worker_exit_meaning(attempt), nullptr);
  attempt.state->exit_code = 10;
  ASSERT_NE(worker_exit_meaning(attempt), nullptr);
  EXPECT_EQ(worker_exit_meaning(attempt)->code, ExitCode::device_memory);
  write_file_atomically(directory_ / "failure.json",
                        R"({"format": 1, "rank": 0, "exit_code": 2, "line": "no", "failed_at": ""})");
  ASSERT_NE(worker_exit_meaning(attempt), nullptr);
  EXPECT_EQ(worker_exit_meaning(attempt)->code, ExitCode::bad_input);
}

}  // namespace
}  // namespace wansweep
