// What Slurm does not know, or does not know yet: no accounting, rows that come late, jobs that the controller has
// forgotten.

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "tests/slurm/slurm_sweep.h"

namespace wansweep::test {
namespace {

class Forgotten : public OnSlurm {};

// Waits until squeue shows none of the sweep's jobs, not even ended ones. wansweep is not called meanwhile.
void wait_until_forgotten(const SlurmSweep& sweep) {
  for (int i = 0; i < 300; ++i) {
    const Outcome queue = run_program({"squeue", "--noheader", "--states=all", "--name=" + sweep.token(), "-o", "%i"});
    if (queue.exit_code == 0 && queue.out.empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  FAIL() << "Slurm still has " << sweep.token();
}

TEST_F(Forgotten, AccountingTellsHowAJobEndedThatTheQueueForgot) {
  const SlurmSweep sweep(pretended("exit 12\n"));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  wait_until_forgotten(sweep);
  const Outcome status = sweep.status();
  EXPECT_EQ(sweep.states().begin()->second, "failed") << status.out;
  EXPECT_NE(status.out.find("12 (communicator)"), std::string::npos) << status.out;
}

// Three sweeps run side by side on a site whose Slurm has no accounting.
TEST_F(Forgotten, WithoutAccountingTheWorkersWordDecidesAndSilenceIsALoss) {
  const TemporaryDirectory directory;
  const std::string with = std::getenv("SLURM_CONF");
  cluster("no-accounting " + directory.path() + "/slurm.conf");
  setenv("SLURM_CONF", (directory / "slurm.conf").c_str(), 1);
  const SlurmSweep whole((SweepSettings()));
  const SlurmSweep failed(
      pretended(R"(echo '{"format": 1, "rank": 0, "exit_code": 10, "line": "the arena is full", "failed_at": ""}')"
                " >\"$out/failure.json\"\nexit 10\n"));
  const SlurmSweep silent(pretended("exit 0\n"));
  for (const SlurmSweep* sweep : {&whole, &failed, &silent}) {
    const Outcome submitted = sweep->submit();
    EXPECT_EQ(submitted.exit_code, 0) << submitted.out;
  }
  for (const SlurmSweep* sweep : {&whole, &failed, &silent}) wait_until_forgotten(*sweep);
  EXPECT_EQ(whole.wait(5).begin()->second, "completed") << whole.status().out;
  EXPECT_EQ(failed.wait(5).begin()->second, "failed") << failed.status().out;
  EXPECT_NE(failed.status().out.find("the arena is full"), std::string::npos);
  const Outcome first = silent.status();
  EXPECT_NE(first.out.find("Slurm does not know the job"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("unknown: sacct"), std::string::npos) << first.out;
  EXPECT_EQ(silent.wait(20).begin()->second, "lost") << silent.status().out;
  setenv("SLURM_CONF", with.c_str(), 1);
}

TEST_F(Outage, RowsThatComeLateAreWaitedFor) {
  // The controller sends no row while slurmdbd is frozen, and sacct hangs.
  const SlurmSweep sweep(pretended("exit 12\n", "command_timeout = 2\nlost_seconds = 60"));
  cluster("freeze-dbd");
  ASSERT_EQ(sweep.submit().exit_code, 0);
  wait_until_forgotten(sweep);
  const Outcome frozen = sweep.status();
  cluster("thaw-dbd");
  EXPECT_NE(frozen.out.find("unknown: sacct did not answer within 2 s"), std::string::npos) << frozen.out;
  EXPECT_EQ(sweep.states().begin()->second, "") << frozen.out;
  EXPECT_EQ(sweep.wait(50).begin()->second, "failed") << sweep.status().out;
  EXPECT_NE(sweep.status().out.find("12 (communicator)"), std::string::npos);
}

}  // namespace
}  // namespace wansweep::test
