#include "orchestrator/sweep/abandoned.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/process.h"
#include "orchestrator/sweep/attempt_folder.h"
#include "tests/orchestrator/sweep/small_sweep.h"

namespace wansweep {
namespace {

class AbandonedTest : public testing::Test {
 protected:
  AbandonedTest() : attempt_(AttemptFolder(sweep_.path()).create("s", sweep_.configuration(), 1)) {}
  ~AbandonedTest() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  // Starts a process of this user, which pid.json names as the attempt's.
  void start(const std::string& marked_as) {
    Command command;
    command.arguments = {"sleep", "60"};
    command.stdout_file = command.stderr_file = "/dev/null";
    if (!marked_as.empty()) command.environment = {{attempt_mark, marked_as}};
    pid_ = spawn(command);
    write_pid(attempt_, pid_);
  }

  SmallSweep sweep_;
  Attempt attempt_;
  pid_t pid_ = 0;
};

TEST_F(AbandonedTest, AProcessOfSomethingElseIsNotKilledThoughPidJsonNamesIt) {
  for (const std::string& mark : {std::string(), sweep_.folder(2, 1)}) {
    start(mark);
    const std::optional<std::string> problem = settle_abandoned(attempt_);
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->find("the process was not stopped"), std::string::npos) << *problem;
    EXPECT_FALSE(attempt_.state);
    EXPECT_NE(process_start(pid_), 0u);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

TEST_F(AbandonedTest, TheAttemptsOwnProcessIsStopped) {
  start(attempt_mark_value(attempt_.directory));
  EXPECT_EQ(settle_abandoned(attempt_), std::nullopt);
  EXPECT_EQ(process_start(pid_), 0u);
  ASSERT_TRUE(attempt_.state);
  EXPECT_EQ(attempt_.state->end, AttemptEnd::cancelled);
}

TEST_F(AbandonedTest, AnAttemptWhoseProcessEndedIsSettled) {
  start("");
  kill(pid_, SIGKILL);
  waitpid(std::exchange(pid_, 0), nullptr, 0);
  EXPECT_EQ(settle_abandoned(attempt_), std::nullopt);
  EXPECT_TRUE(attempt_.state);
}

TEST_F(AbandonedTest, WhatCannotBeReadSettlesNothing) {
  write_text(attempt_.directory + "/pid.json", "12");
  EXPECT_NE(settle_abandoned(attempt_).value_or("").find("pid.json"), std::string::npos);
  std::filesystem::remove(attempt_.directory + "/pid.json");
  write_text(attempt_.directory + "/completed.json", "");
  EXPECT_NE(settle_abandoned(attempt_).value_or("").find("completed.json"), std::string::npos);
  EXPECT_FALSE(attempt_.state);
}

}  // namespace
}  // namespace wansweep
