// `wansweep run` and `wansweep status` as a user meets them: attempts, and runs that were interrupted.

#include "base/printable.h"
#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class RunTest : public ProgramTest {};

TEST_F(RunTest, RunsEveryRepeatAndThenHasNothingToDo) {
  const Result first = run();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.out.find("[2/2] r2-resident-shift12-"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("2 of 2 runs done, 0 failed"), std::string::npos) << first.out;
  EXPECT_EQ(first.out.find('\r'), std::string::npos);
  ASSERT_EQ(attempts("a1").size(), 2u);
  for (const std::string& attempt : attempts("a1")) {
    EXPECT_EQ(state(attempt).at("state"), "completed");
    EXPECT_EQ(state(attempt).at("exit_code"), 0);
    const auto json = nlohmann::json::parse(read_text(attempt + "/attempt.json"));
    EXPECT_EQ(json.at("sweep"), "s");
    EXPECT_EQ(json.at("launcher"), "local");
    EXPECT_EQ(json.at("config").get<std::string>().size(), 64u);
  }

  const Result second = run("fail");
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(second.out.find("all 2 runs are done"), std::string::npos) << second.out;
  EXPECT_EQ(attempts("a2").size(), 0u);
}

TEST_F(RunTest, NothingInAPathIsEvaluated) {
  EXPECT_EQ(run().exit_code, 0);
  const std::string attempt = attempts("a1").at(0);
  EXPECT_NE(read_text(attempt + "/arguments.txt").find(attempt + "/spec.json"), std::string::npos);
  EXPECT_FALSE(fs::exists("evaluated"));
  EXPECT_FALSE(fs::exists(directory_ / "evaluated"));
}

TEST_F(RunTest, AFailedAttemptStaysAndTheNextOneGetsTheNextNumber) {
  const Result failed = run("fail");
  EXPECT_EQ(failed.exit_code, 17);
  EXPECT_NE(failed.out.find("failed (device_memory)"), std::string::npos) << failed.out;
  EXPECT_NE(failed.out.find("rank 1: the arena is full"), std::string::npos) << failed.out;

  const Result status = finish(start({"status", out_}, "ok"));
  EXPECT_EQ(status.exit_code, 0) << status.err;
  EXPECT_NE(status.out.find("10 (device_memory)"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("2 runs, 2 failed"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("next: wansweep run"), std::string::npos) << status.out;

  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(attempts("a1").size(), 2u);
  EXPECT_EQ(attempts("a2").size(), 2u);
  EXPECT_EQ(state(attempts("a1").at(0)).at("state"), "failed");
  const Result after = finish(start({"status", out_}, "ok"));
  EXPECT_NE(after.out.find("next: wansweep gather"), std::string::npos) << after.out;
}

TEST_F(RunTest, ExitCodeZeroWithoutACompletionRecordIsAFailure) {
  const Result result = run("silent");
  EXPECT_EQ(result.exit_code, 17);
  EXPECT_EQ(state(attempts("a1").at(0)).at("state"), "failed");
  EXPECT_EQ(state(attempts("a1").at(0)).at("line"), "wansweep-worker: said something");
}

TEST_F(RunTest, ADamagedTraceIsReportedAndItsRunIsRepeatedOnRequest) {
  EXPECT_EQ(run().exit_code, 0);
  write_text(attempts("a1").at(0) + "/rank-0001.h5", "cut");
  const Result status = finish(start({"status", out_}, "ok"));
  EXPECT_NE(status.out.find("1 damaged"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("next: wansweep rerun"), std::string::npos) << status.out;
  const Result again = run();
  EXPECT_EQ(again.exit_code, 17);
  EXPECT_NE(again.out.find("completed, but damaged since: "), std::string::npos) << again.out;
  EXPECT_TRUE(attempts("a2").empty());
  EXPECT_EQ(
      finish(start({"rerun", out_, "--failed", "--worker", "/bin/true", "--mpirun", WANSWEEP_BIN_DIR "/fake_mpirun"},
                   "ok"))
          .exit_code,
      0);
  EXPECT_EQ(attempts("a2").size(), 1u);
}

TEST_F(RunTest, ACompletedRunWhoseRecordIsDamagedIsReportedAndNotRunAgain) {
  EXPECT_EQ(run().exit_code, 0);
  for (const bool removed : {false, true}) {
    const std::string record = attempts("a1").at(0) + "/completed.json";
    removed ? static_cast<void>(fs::remove(record)) : static_cast<void>(write_text(record, ""));
    const Result result = run();
    EXPECT_EQ(result.exit_code, 17);
    EXPECT_NE(result.out.find("left alone: " + printable(attempts("a1").at(0))), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("--failed` runs it again"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("1 of 2 runs done, 0 failed, 1 left alone"), std::string::npos) << result.out;
    EXPECT_TRUE(attempts("a2").empty());
  }
}

TEST_F(RunTest, ARunWithARecordThatCannotBeReadIsNotStartedAgain) {
  EXPECT_EQ(run("fail").exit_code, 17);
  const std::string attempt = attempts("a1").at(0);
  write_text(attempt + "/attempt.json", "");
  const Result result = run();
  EXPECT_EQ(result.exit_code, 17);
  EXPECT_NE(result.out.find("left alone: "), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("move the folder away"), std::string::npos) << result.out;
  EXPECT_EQ(attempts("a2").size(), 1u) << "the other run goes again";
  EXPECT_NE(finish(start({"status", out_}, "ok")).out.find("1 cannot be read"), std::string::npos);
}

TEST_F(RunTest, CtrlCStopsCleanlyAndTheSameCommandGoesOn) {
  const pid_t pid = start(run_arguments(), "hang");
  const std::string attempt = wait_for_first_attempt();
  kill(pid, SIGINT);
  const Result stopped = finish(pid);
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_NE(stopped.out.find("repeat the same command to continue"), std::string::npos) << stopped.out;
  EXPECT_EQ(state(attempt).at("state"), "cancelled");
  EXPECT_EQ(state(attempt).at("signal"), SIGTERM);
  expect_ended(nlohmann::json::parse(read_text(attempt + "/pid.json")).at("pid"));

  const Result resumed = run();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("2 of 2 runs done"), std::string::npos) << resumed.out;
}

TEST_F(RunTest, ARunThatHadFinishedBeforeCtrlCIsCompletedWithExitCodeZeroAndALine) {
  const pid_t pid = start(run_arguments(), "linger");
  const std::string attempt = wait_for_first_attempt();
  for (int i = 0; i < 500 && !fs::exists(attempt + "/completed.json"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(pid, SIGINT);
  finish(pid);
  EXPECT_EQ(state(attempt).at("state"), "completed");
  EXPECT_EQ(state(attempt).at("exit_code"), 0);
  EXPECT_EQ(state(attempt).at("line"), "stopped after it had finished");
}

TEST_F(RunTest, ASecondWansweepInTheDirectorySaysWhoHoldsIt) {
  const pid_t first = start(run_arguments(), "hang");
  wait_for_first_attempt();
  const TemporaryDirectory logs;
  std::vector<std::string> arguments = run_arguments();
  arguments.insert(arguments.begin(), std::string(WANSWEEP_BIN_DIR) + "/wansweep");
  const pid_t second = spawn({arguments, {}, logs / "stdout", logs / "stderr"});
  int status = 0;
  waitpid(second, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 16);
  const std::string line = read_text(logs / "stderr");
  EXPECT_NE(line.find(fmt::format("another wansweep works in this directory: pid {} on host", first)),
            std::string::npos)
      << line;
  kill(first, SIGTERM);
  EXPECT_EQ(finish(first).exit_code, 130);
}

TEST_F(RunTest, AfterSigkillTheLauncherIsStoppedAndItsAttemptIsGivenUp) {
  const pid_t pid = start(run_arguments(), "hang");
  const std::string attempt = wait_for_first_attempt();
  kill(pid, SIGKILL);
  finish(pid);
  expect_ended(nlohmann::json::parse(read_text(attempt + "/pid.json")).at("pid"));
  EXPECT_FALSE(fs::exists(attempt + "/state.json"));

  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(state(attempt).at("state"), "cancelled");
  EXPECT_EQ(attempts("a2").size(), 1u);
}

}  // namespace
}  // namespace wansweep
