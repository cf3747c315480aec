// How jobs end, and what `wansweep status` says of it.

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/slurm/slurm_sweep.h"

namespace wansweep::test {
namespace {

class Endings : public OnSlurm {};

std::string only(const std::map<std::string, std::string>& states) {
  return states.size() == 1 ? states.begin()->second : "not one attempt";
}

// Waits until the worker of the only attempt runs.
void wait_for_worker(const SlurmSweep& sweep) {
  ASSERT_EQ(sweep.attempts().size(), 1u);
  const std::string name = std::filesystem::path(sweep.attempts()[0]).filename();
  ASSERT_TRUE(sweep.wait_for_file("attempts/" + name + "/at-work", 60));
}

constexpr const char* working = "touch \"$out/at-work\"\nexec sleep 300\n";

TEST_F(Endings, AFailureKeepsItsExitCodeAndLastWords) {
  const SlurmSweep sweep(pretended("echo 'wansweep-worker: the arena is full' >&2\nexit 10\n"));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  EXPECT_EQ(only(sweep.wait(30)), "failed");
  const Outcome status = sweep.status();
  EXPECT_NE(status.out.find("10 (device_memory)"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("the arena is full"), std::string::npos) << status.out;
}

TEST_F(Endings, ExitCodeZeroWithoutARecordIsAFailure) {
  const SlurmSweep sweep(pretended("exit 0\n"));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  EXPECT_EQ(only(sweep.wait(30)), "failed");
  EXPECT_NE(sweep.status().out.find("the completion record is missing or wrong"), std::string::npos);
}

TEST_F(Endings, CancelReachesTheJob) {
  const SlurmSweep sweep(pretended(working));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  wait_for_worker(sweep);
  EXPECT_NE(sweep.status().out.find("running"), std::string::npos);
  EXPECT_EQ(sweep.cancel().exit_code, 0);
  EXPECT_EQ(only(sweep.wait(40)), "cancelled");
}

// The batch step itself takes the memory, since Slurm's message is sure to reach its output; an mpirun in between may
// end first.
TEST_F(Endings, TooMuchHostMemoryIsOutOfMemoryAndNotAFailureOfTheWorker) {
  const TemporaryDirectory shims;
  std::filesystem::permissions(write_text(shims / "mpirun", "#!/bin/bash\nshift 4\nexec \"$@\"\n"),
                               std::filesystem::perms::owner_all);
  SweepSettings settings = pretended("exec python3 -c 'import time; a = b\"x\" * (1500 << 20); time.sleep(60)'\n");
  settings.environment = "PATH = \"" + shims.path() + ":" + std::getenv("PATH") + "\"\n";
  const SlurmSweep sweep(settings);
  ASSERT_EQ(sweep.submit().exit_code, 0);
  EXPECT_EQ(only(sweep.wait(60)), "out_of_memory") << sweep.status().out;
  const Outcome same = sweep.rerun();
  EXPECT_EQ(same.exit_code, 2) << same.out;
  EXPECT_NE(same.out.find("give --mem-factor"), std::string::npos) << same.out;
}

TEST_F(Endings, AJobPushedOutByAnotherPartitionIsPreempted) {
  SweepSettings low = pretended(working, "partition = \"low\"\nhost_memory_per_rank = 14000");
  low.matrix = "ranks = [1]";
  const SlurmSweep first(low);
  ASSERT_EQ(first.submit().exit_code, 0);
  wait_for_worker(first);
  // The second job wants the partition's only node as a whole.
  const SlurmSweep second(pretended(working, "partition = \"high\"\nhost_memory_per_rank = 14000"));
  ASSERT_EQ(second.submit().exit_code, 0);
  EXPECT_EQ(only(first.wait(60)), "preempted");
  second.cancel();
  second.wait(40);
}

TEST_F(Endings, AKilledNodeIsNodeFailure) {
  const SlurmSweep sweep(pretended(working, "partition = \"frail\""));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  wait_for_worker(sweep);
  cluster("kill-slurmd n4");
  run_program({"scontrol", "update", "NodeName=n4", "State=DOWN", "Reason=test"});
  EXPECT_EQ(only(sweep.wait(60)), "node_failure");
  cluster("start-slurmd n4");
  run_program({"scontrol", "update", "NodeName=n4", "State=RESUME"});
}

TEST_F(LongWait, BeforeTheTimeLimitTheWorkerIsAskedToStop) {
  // Slurm counts limits in minutes and sends signals up to a minute early: with 60 seconds' notice of a limit of one
  // minute, the signal comes at once.
  SweepSettings settings =
      pretended("trap 'exit 15' USR2\ntouch \"$out/at-work\"\nsleep 300 & wait\n", "signal_before_end = 55");
  const SlurmSweep sweep(settings);
  ASSERT_EQ(sweep.submit({"--time", "0:01:00"}).exit_code, 0);
  EXPECT_EQ(only(sweep.wait(70)), "failed");
  EXPECT_NE(sweep.status().out.find("15 (interrupted)"), std::string::npos) << sweep.status().out;
}

TEST_F(LongWait, AJobThatIgnoresTheSignalRunsIntoItsTimeLimit) {
  const SlurmSweep sweep(pretended("trap '' USR2 TERM\ntouch \"$out/at-work\"\nwhile true; do sleep 1; done\n"));
  ASSERT_EQ(sweep.submit({"--time", "0:01:00"}).exit_code, 0);
  EXPECT_EQ(only(sweep.wait(150)), "timeout");
  EXPECT_EQ(sweep.rerun().exit_code, 2) << "the same again would only fail again";
  const Outcome longer = sweep.rerun({"--time-factor", "3"});
  EXPECT_NE(longer.out.find("1 of 1 failed runs submitted again"), std::string::npos) << longer.out;
  EXPECT_NE(longer.out.find("0-00:03:00"), std::string::npos) << longer.out;
  sweep.cancel();
}

}  // namespace
}  // namespace wansweep::test
