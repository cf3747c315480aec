// No run starts a second time, even if files are damaged or planted or Slurm does not answer.

#include "orchestrator/cluster/settle.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "schema/completion.h"
#include "tests/orchestrator/cluster/stand_in_slurm.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class Settle : public StandInSlurm {
 protected:
  bool said(const std::string& part) const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
  void settle() { lines_ = settle_submissions(sweep()); }

  std::vector<std::string> lines_;
};

TEST_F(Settle, AnAttemptThatSlurmNeverHadIsWithdrawnAndMarked) {
  settle();
  EXPECT_EQ(state(0), "withdrawn");
  EXPECT_EQ(state(1), "withdrawn");
  EXPECT_TRUE(fs::is_regular_file(attempt(0) + "/claim")) << "so that no job can make its folder there";
  EXPECT_TRUE(said("Slurm never had this submission (2 runs to submit again)"));
}

TEST_F(Settle, AnAttemptThatAJobClaimedIsNeverWithdrawn) {
  fs::create_directory(attempt(0) + "/claim");
  settle();
  EXPECT_EQ(state(0), "");
  EXPECT_EQ(state(1), "withdrawn");
  EXPECT_TRUE(said("claim exists"));
  EXPECT_TRUE(said("(1 runs to submit again)"));
  settle();
  EXPECT_EQ(state(0), "") << "nor the next time";
}

TEST_F(Settle, AnAttemptWithJobJsonIsNeverWithdrawnNorWhenThatCannotBeRead) {
  fs::create_symlink("/nowhere/at/all", attempt(0) + "/job.json");
  settle();
  EXPECT_EQ(state(0), "");
  EXPECT_TRUE(said("a job has started it"));
}

TEST_F(Settle, AWansweepThatDiedBetweenItsClaimAndTheStateGoesOn) {
  write_text(attempt(0) + "/claim", "given up by a wansweep\n");
  fs::create_directory(attempt(1) + "/claim");  // a claim in the form that earlier versions wrote
  write_text(attempt(1) + "/claim/withdrawn", "given up by a wansweep\n");
  settle();
  EXPECT_EQ(state(0), "withdrawn");
  EXPECT_EQ(state(1), "withdrawn");
}

TEST_F(Settle, AClaimThatIsEmptyOrALinkDecidesNothing) {
  write_text(attempt(0) + "/claim", "");
  fs::create_symlink("/nowhere/at/all", attempt(1) + "/claim");
  settle();
  EXPECT_EQ(state(0), "");
  EXPECT_EQ(state(1), "");
}

TEST_F(Settle, AnEmptyClaimThatNoJobCanHaveMadeHealsOnceItIsOld) {
  const std::string claim = attempt(0) + "/claim";
  fs::create_directory(claim);
  settle();
  EXPECT_EQ(state(0), "") << "a job may have made it a moment ago, on a node whose started file does not show here yet";
  fs::last_write_time(claim, fs::file_time_type::clock::now() - std::chrono::minutes(11));
  settle();
  EXPECT_EQ(state(0), "withdrawn");
  EXPECT_NE(::mkdir(claim.c_str(), 0755), 0) << "and no job can take it afterwards";
}

TEST_F(Settle, AnOldEmptyClaimOfAStartedArrayIsItsJobs) {
  write_outcome(submission_, {SubmissionState::withdrawn, 0, "Slurm never had it"});
  fs::create_directory(attempt(0) + "/claim");
  fs::last_write_time(attempt(0) + "/claim", fs::file_time_type::clock::now() - std::chrono::hours(11));
  write_text(submission_.directory + "/started.1001", "");
  settle();
  EXPECT_EQ(state(0), "");
}

TEST_F(Settle, AWansweepKilledAtAnyInstantOfGivingUpLeavesWhatTheNextOneSettles) {
  for (int after_ms = 0; after_ms < 40; ++after_ms) {
    for (const int index : {0, 1}) {
      fs::remove_all(attempt(index) + "/claim");
      fs::remove(attempt(index) + "/state.json");
    }
    fs::remove(submission_.directory + "/outcome.json");
    const pid_t child = fork();
    if (child == 0) {
      settle_submissions(sweep());
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    settle();
    ASSERT_EQ(state(0), "withdrawn") << "killed after " << after_ms << " ms";
    ASSERT_EQ(state(1), "withdrawn") << "killed after " << after_ms << " ms";
  }
}

TEST_F(Settle, AStartedFileAdoptsTheJobAlsoAfterItWasGivenUp) {
  write_outcome(submission_, {SubmissionState::withdrawn, 0, "Slurm never had it"});
  write_text(submission_.directory + "/started.1001", "");
  settle();
  EXPECT_EQ(state(0), "");
  EXPECT_TRUE(said("Slurm has this submission as job 1001"));
}

TEST_F(Settle, ALineThatCannotBeReadIsNoAbsence) {
  program("squeue", "echo 'ws-1f0c93ab-5e0d41c71001     0     RUNNING'");
  expect_error(ExitCode::scheduler_unavailable, "squeue: cannot read", [&] { settle(); });
  EXPECT_EQ(state(0), "");
}

TEST_F(Settle, ASlurmThatDoesNotAnswerIsNoAbsence) {
  program("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
  expect_error(ExitCode::scheduler_unavailable, "nothing is submitted again", [&] { settle(); });
  EXPECT_EQ(state(0), "");
}

TEST_F(Settle, AGeneratedScriptIsReplacedWhereThereIsNoSlurm) {
  submission_.by_hand = true;
  fs::remove_all(submission_.directory);
  write_intent(submission_, "#!/bin/bash\n");
  fs::remove(directory_ / "bin/squeue");
  const std::string path = std::getenv("PATH");
  setenv("PATH", (directory_ / "bin").c_str(), 1);
  settle();
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(state(0), "withdrawn");
  EXPECT_TRUE(said("generated, but not submitted (2 runs to submit again)"));
}

TEST_F(Settle, AGeneratedScriptIsReplacedWhereSlurmIsNotSetUpButNotWhereItDoesNotAnswer) {
  submission_.by_hand = true;
  fs::remove_all(submission_.directory);
  write_intent(submission_, "#!/bin/bash\n");
  program("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
  expect_error(ExitCode::scheduler_unavailable, "remove the folder if nobody did", [&] { settle(); });
  EXPECT_EQ(state(0), "");
  program("squeue", "echo 'squeue: fatal: Could not establish a configuration source' >&2; exit 1");
  settle();
  EXPECT_EQ(state(0), "withdrawn");
}

TEST_F(Settle, ARunByHandIsCompletedAndNotWithdrawn) {
  write_completion(attempt(0), {});
  settle();
  EXPECT_EQ(state(0), "completed");
  EXPECT_EQ(state(1), "withdrawn");
  EXPECT_TRUE(said("it was run by hand, and has completed"));
}

TEST_F(Settle, AnIntentThatCannotBeReadLeavesItsRunsAlone) {
  write_text(submission_.directory + "/intent.json", "");
  settle();
  EXPECT_EQ(state(0), "");
  EXPECT_TRUE(said("left alone until it can be read"));
  fs::remove(submission_.directory + "/intent.json");
  write_text(submission_.directory + "/started.1001", "");
  settle();
  EXPECT_EQ(state(0), "") << "gone, but a job has started";
}

TEST_F(Settle, AJobThatAccountingNamesWithoutAnIndexIsFound) {
  program("sacct", "echo '" + submission_.token + "|1001|CANCELLED by 0|0:0||None|1790000060'");
  settle();
  EXPECT_TRUE(said("Slurm has this submission as job 1001"));
}

}  // namespace
}  // namespace wansweep
