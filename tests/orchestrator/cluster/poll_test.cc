#include "orchestrator/cluster/poll.h"

#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "base/files.h"
#include "schema/completion.h"
#include "tests/orchestrator/cluster/stand_in_slurm.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class Poll : public StandInSlurm {
 protected:
  Poll() { write_outcome(submission_, {SubmissionState::submitted, 1001, ""}); }

  SlurmPoll poll_often() const {
    SlurmPoll poll;
    for (int i = 0; i < 5; ++i) poll = poll_slurm(sweep(), true);
    return poll;
  }
  static bool said(const SlurmPoll& poll, const std::string& part) {
    return std::any_of(poll.problems.begin(), poll.problems.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
  std::string now() const { return std::to_string(seconds_now()); }
};

TEST_F(Poll, WhatSlurmForgotIsLostButNotWhileALineCannotBeRead) {
  program("squeue", "echo 'a wrapper says hello'");
  SlurmPoll poll = poll_often();
  EXPECT_EQ(state(0), "");
  EXPECT_FALSE(poll.complete);
  EXPECT_TRUE(said(poll, "squeue: cannot read \"a wrapper says hello\""));
  EXPECT_EQ(poll.live.at(attempt(0)).state, JobState::unknown);
  forget();
  poll = poll_often();
  EXPECT_TRUE(poll.complete);
  EXPECT_EQ(state(0), "lost");
}

TEST_F(Poll, AMemberThatIsReadIsShownBesideOneThatIsNot) {
  program("squeue", "echo '" + submission_.token + "|1001|0|RUNNING|None|n1|0|" + now() + "|N/A|'; echo garbage");
  const SlurmPoll poll = poll_often();
  EXPECT_EQ(poll.live.at(attempt(0)).state, JobState::running);
  EXPECT_EQ(poll.live.at(attempt(1)).state, JobState::unknown);
}

TEST_F(Poll, AnArrayCancelledWhilePendingIsCancelledThoughItsRowHasNoIndex) {
  program("sacct", "echo '" + submission_.token + "|1001|CANCELLED by 0|0:0||None|" + now() + "'");
  poll_often();
  EXPECT_EQ(state(0), "cancelled");
  EXPECT_EQ(state(1), "cancelled");
}

TEST_F(Poll, AnEndThatSlurmMadeHasNoExitCodeOfTheWorkers) {
  queue("TIMEOUT|TimeLimit|n1|0|" + now() + "|" + now());
  poll_slurm(sweep(), true);
  const std::optional<Attempt> ended = read_attempt(attempt(0));
  ASSERT_TRUE(ended && ended->state);
  EXPECT_EQ(ended->state->end, AttemptEnd::timeout);
  EXPECT_EQ(ended->state->exit_code, std::nullopt);
}

TEST_F(Poll, ClocksThatDifferCostALineAndLoseNothing) {
  queue("RUNNING|None|n1|0|" + std::to_string(submission_.created_at - 7200) + "|N/A");
  SlurmPoll poll = poll_slurm(sweep(), true);
  EXPECT_TRUE(said(poll, "differ by at least 7200 s"));
  EXPECT_EQ(poll.live.at(attempt(0)).state, JobState::running);
  queue("RUNNING|None|n1|0|" + now() + "|N/A");
  EXPECT_TRUE(poll_slurm(sweep(), true).problems.empty());
}

TEST_F(Poll, APlantedLinkIsNotAppendedToAndHidesNoOtherAttempt) {
  write_text(directory_ / "victim", "precious\n");
  fs::create_symlink(directory_ / "victim", attempt(0) + "/transitions.jsonl");
  queue("RUNNING|None|n1|0|" + now() + "|N/A");
  const SlurmPoll poll = poll_slurm(sweep(), true);
  EXPECT_EQ(read_text(directory_ / "victim"), "precious\n");
  EXPECT_TRUE(said(poll, "transitions.jsonl"));
  EXPECT_EQ(poll.live.at(attempt(1)).state, JobState::running);
}

TEST_F(Poll, EachClusterIsAskedAboutItsOwnJobs) {
  submission_.profile.cluster = "big";
  fs::remove_all(submission_.directory);
  write_intent(submission_, "#!/bin/bash\n");
  program("squeue", "[ \"$1\" = --clusters=big ] || exit 1; echo '" + submission_.token + "|1001|0|RUNNING|None|n1|0|" +
                        now() + "|N/A|'; echo '" + submission_.token + "|1001|1|PENDING|Priority||0|N/A|N/A|'");
  const SlurmPoll poll = poll_slurm(sweep(), true);
  EXPECT_EQ(poll.live.at(attempt(0)).state, JobState::running);
  EXPECT_EQ(poll.live.at(attempt(1)).line, "Priority");
}

TEST_F(Poll, AScriptThatNobodySubmittedIsGeneratedOrWasRunByHand) {
  fs::remove_all(submission_.directory);
  submission_.by_hand = true;
  submission_.outcome.reset();
  write_intent(submission_, "#!/bin/bash\n");
  write_completion(attempt(1), {});
  for (const bool answers : {true, false}) {
    if (!answers) program("squeue", "exit 1");
    const SlurmPoll poll = poll_slurm(sweep(), true);
    EXPECT_TRUE(poll.generated.contains(attempt(0)));
    EXPECT_TRUE(poll.live.empty());
    EXPECT_EQ(state(0), "");
    EXPECT_EQ(state(1), "completed");
  }
  EXPECT_TRUE(last_poll(sweep()).generated.contains(attempt(0)));
}

}  // namespace
}  // namespace wansweep
