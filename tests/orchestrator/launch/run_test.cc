// `wansweep run` and `wansweep status` as a user meets them: the program itself, with fake_mpirun in place of MPI.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/printable.h"
#include "base/process.h"
#include "base/shell_quote.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

struct Result {
  int exit_code = -1;
  std::string out;
  std::string err;
};

class RunTest : public testing::Test {
 protected:
  RunTest() {
    sweep_ = directory_ / "my sweep's $(file).toml";  // the shell must never see it
    write_text(sweep_, fmt::format("[sweep]\nname = \"s\"\nrepeats = 2\n[base]\nmodel = "
                                   "\"{0}/tests/reference/tiny-wan2.2-t2v\"\ninputs = "
                                   "\"{0}/tests/reference/trajectory-shift12.safetensors\"\n[matrix]\nranks = [2]\n",
                                   WANSWEEP_SOURCE_DIR));
    out_ = directory_ / "out $(touch evaluated) 'here'\nand there";
  }

  pid_t start(std::vector<std::string> arguments, const std::string& mode) {
    arguments.insert(arguments.begin(), std::string(WANSWEEP_BIN_DIR) + "/wansweep");
    return spawn({arguments, {{"FAKE_WORKER", mode}}, directory_ / "stdout", directory_ / "stderr"});
  }

  Result finish(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_text(directory_ / "stdout"),
            read_text(directory_ / "stderr")};
  }

  std::vector<std::string> run_arguments() const {
    return {"run",      sweep_,     "--dir", out_, "--mpirun", std::string(WANSWEEP_BIN_DIR) + "/fake_mpirun",
            "--worker", "/bin/true"};
  }

  Result run(const std::string& mode = "ok") { return finish(start(run_arguments(), mode)); }

  // Folders of attempts, "a1" or "a2" by what they end with.
  std::vector<std::string> attempts(const std::string& ending) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(out_ + "/attempts")) {
      if (entry.path().string().ends_with("-" + ending)) found.push_back(entry.path().string());
    }
    return found;
  }

  nlohmann::json state(const std::string& attempt) const {
    return nlohmann::json::parse(read_text(attempt + "/state.json"));
  }

  // Until the first attempt's fake worker is at work.
  std::string wait_for_first_attempt() const {
    for (int i = 0; i < 500; ++i) {
      std::error_code failed;
      for (const auto& entry : fs::directory_iterator(out_ + "/attempts", failed)) {
        std::string attempt = entry.path().string();
        if (fs::exists(attempt + "/arguments.txt") && fs::exists(attempt + "/pid.json")) return attempt;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ADD_FAILURE() << "no attempt began";
    return "";
  }

  static void expect_ended(int pid) {
    for (int i = 0; i < 500 && process_start(pid) != 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(process_start(pid), 0u) << "process " << pid << " still runs";
  }

  TemporaryDirectory directory_;
  std::string sweep_;
  std::string out_;
};

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

TEST_F(RunTest, ResolveShowsEachOriginAndWhatSglangWouldDo) {
  const std::string model = directory_ / "wan2.2";
  fs::copy(WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v", model, fs::copy_options::recursive);
  fs::create_directories(model + "/scheduler");
  write_text(model + "/scheduler/scheduler_config.json", R"({"flow_shift": 3.0})");
  const Result text = finish(start({"resolve", model}, "ok"));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("flow_shift: the model's files say 3, the catalog says 12 (Wan-Video/Wan2.2"),
            std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("93 on 4 GPUs, 93 on 6 GPUs"), std::string::npos) << text.out;

  const Result result = finish(start({"resolve", model, "--json"}, "ok"));
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("model_id"), "t2v-a14b");
  EXPECT_EQ(json.at("same_size"), false);
  EXPECT_EQ(json.at("switch_step"), nlohmann::json::parse(R"({"27": 19, "40": 27})"));
  EXPECT_EQ(json.at("disagreements").size(), 1u);
  for (const auto& verdict : json.at("sglang")) {
    EXPECT_EQ(verdict.at("config"), "WanT2V480PConfig");
    EXPECT_EQ(verdict.at("switch_step"), nlohmann::json::parse(R"({"27": 10, "40": 13})"));
    const int frames = verdict.at("resolver") == "sglang-2025-12" ? 93 : 81;
    EXPECT_EQ(verdict.at("frames_on_ranks").at("4"), frames);
    EXPECT_EQ(verdict.at("frames_on_ranks").at("6"), frames);
  }

  const Result wrong = finish(start({"resolve", model, "--model-id", "ti2v-5b"}, "ok"));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("model_id is ti2v-5b, but its files are t2v-a14b's"), std::string::npos) << wrong.err;
}

TEST_F(RunTest, RerunFailedTriesOnlyTheFailedRunsAgain) {
  EXPECT_EQ(run("fail").exit_code, 17);
  const std::vector<std::string> rerun{
      "rerun", out_, "--failed", "--mpirun", std::string(WANSWEEP_BIN_DIR) + "/fake_mpirun", "--worker", "/bin/true"};
  std::vector<std::string> dry = rerun;
  dry.emplace_back("--dry-run");
  const Result shown = finish(start(dry, "ok"));
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("needs a change"), std::string::npos) << shown.out;
  EXPECT_EQ(attempts("a2").size(), 0u);

  const Result again = finish(start(rerun, "ok"));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.out.find("2 of 2 failed runs done"), std::string::npos) << again.out;
  EXPECT_EQ(attempts("a2").size(), 2u);
  EXPECT_EQ(state(attempts("a1").at(0)).at("state"), "failed") << "nothing is overwritten";
  const Result third = finish(start(rerun, "ok"));
  EXPECT_NE(third.out.find("no run has failed"), std::string::npos) << third.out;
  EXPECT_NE(run().out.find("all 2 runs are done"), std::string::npos);
}

TEST_F(RunTest, RerunSaysWhatIsWrongWithItsArguments) {
  EXPECT_EQ(run().exit_code, 0);
  const auto error = [&](std::vector<std::string> arguments) {
    const Result result = finish(start(std::move(arguments), "ok"));
    EXPECT_EQ(result.exit_code, 2) << result.out;
    return result.err;
  };
  EXPECT_NE(error({"rerun", out_}).find("--set key=value or --failed is needed"), std::string::npos);
  EXPECT_NE(error({"rerun", out_, "--set", "flow_shift=3"}).find("--reason is needed"), std::string::npos);
  EXPECT_NE(error({"rerun", "nowhere", "--failed"}).find("no such sweep"), std::string::npos);
  EXPECT_NE(error({"rerun", out_, "--set", "flow_shfit=3", "--dry-run"}).find("did you mean flow_shift?"),
            std::string::npos);
  EXPECT_EQ(finish(start({"gather", out_}, "ok")).exit_code, 17) << "fake traces are no HDF5";
  const std::vector<std::string> where{"rerun", out_, "--set", "flow_shift=3", "--dry-run", "--where"};
  std::vector<std::string> none = where;
  none.emplace_back("run LIKE 'r9%' -- a comment");
  EXPECT_NE(error(none).find("no run of s is so"), std::string::npos);
  std::vector<std::string> two = where;
  two.emplace_back("1); DELETE FROM run; SELECT (1");
  EXPECT_NE(error(two).find("--where"), std::string::npos);
  std::vector<std::string> one = where;
  one.emplace_back("run LIKE '%-2'");
  const Result dry = finish(start(one, "ok"));
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.out.find("1 runs are replaced by 1"), std::string::npos) << dry.out;
  EXPECT_FALSE(fs::exists(out_ + "/reruns"));
}

TEST_F(RunTest, ExitCodeZeroWithoutACompletionRecordIsAFailure) {
  const Result result = run("silent");
  EXPECT_EQ(result.exit_code, 17);
  EXPECT_EQ(state(attempts("a1").at(0)).at("state"), "failed");
  EXPECT_EQ(state(attempts("a1").at(0)).at("line"), "wansweep-worker: said something");
}

TEST_F(RunTest, ADamagedTraceIsRunAgain) {
  EXPECT_EQ(run().exit_code, 0);
  write_text(attempts("a1").at(0) + "/rank-0001.h5", "cut");
  const Result status = finish(start({"status", out_}, "ok"));
  EXPECT_NE(status.out.find("1 damaged"), std::string::npos) << status.out;
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(attempts("a2").size(), 1u);
}

TEST_F(RunTest, ACompletedRunWhoseRecordIsDamagedIsSaidAndNotRunAgain) {
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

TEST_F(RunTest, AnUnknownMpiIsRefusedBeforeAnyAttempt) {
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

TEST_F(RunTest, OutputThatCannotBeWrittenIsExitCodeThirteen) {
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

TEST_F(RunTest, AnAddressSpaceThatIsTooSmallIsNoDefectOfWansweep) {
  std::string command = "ulimit -v 100000; exec " + shell_quote(std::string(WANSWEEP_BIN_DIR) + "/wansweep");
  for (const std::string& word : run_arguments()) command += ' ' + shell_quote(word);
  const Result result = finish(spawn({{"sh", "-c", command}, {}, directory_ / "stdout", directory_ / "stderr"}));
  EXPECT_NE(result.exit_code, 1) << result.err;
  EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST_F(RunTest, CtrlCStopsCleanlyAndTheSameCommandGoesOn) {
  const pid_t pid = start(run_arguments(), "hang");
  const std::string attempt = wait_for_first_attempt();
  kill(pid, SIGINT);
  const Result stopped = finish(pid);
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_NE(stopped.out.find("go on with the same command"), std::string::npos) << stopped.out;
  EXPECT_EQ(state(attempt).at("state"), "cancelled");
  EXPECT_EQ(state(attempt).at("signal"), SIGTERM);
  expect_ended(nlohmann::json::parse(read_text(attempt + "/pid.json")).at("pid"));

  const Result resumed = run();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("2 of 2 runs done"), std::string::npos) << resumed.out;
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
  EXPECT_NE(line.find(fmt::format("another wansweep is at work here: pid {} on host", first)), std::string::npos)
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

TEST_F(RunTest, WhatIsMissingFromTheMachineIsSaidBeforeAnyAttempt) {
  const auto expect = [&](std::vector<std::string> changes, const std::string& part) {
    std::vector<std::string> arguments{"run", sweep_, "--dir", out_};
    arguments.insert(arguments.end(), changes.begin(), changes.end());
    const Result result = finish(start(arguments, "ok"));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
    EXPECT_TRUE(attempts("a1").empty());
  };
  expect({"--worker", directory_ / "none"}, "no worker there");
  expect({"--worker", "/bin/true", "--mpirun", "no-such-mpirun"}, "no-such-mpirun: not found");
}

TEST_F(RunTest, TheDirectoryOfAnotherSweepIsRefused) {
  EXPECT_EQ(run().exit_code, 0);
  std::string text = read_text(sweep_);
  write_text(sweep_, text.replace(text.find("\"s\""), 3, "\"t\""));
  const Result result = run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("holds sweep s, not t"), std::string::npos) << result.err;
}

TEST_F(RunTest, ADirectoryThatCannotBeMadeIsNamed) {
  write_text(out_, "a file");
  const Result result = run();
  EXPECT_EQ(result.exit_code, 13);
  EXPECT_NE(result.err.find("directory cannot be made"), std::string::npos) << result.err;
}

TEST_F(RunTest, ASweepThatCannotWorkRunsNothing) {
  std::string text = read_text(sweep_);
  write_text(sweep_, text.replace(text.find("[2]"), 3, "[2]\nulysses = [5]"));
  const Result result = run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("1 of 1 configurations cannot run"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(RunTest, WrongUsageIsOneLineAndExitCodeTwo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"frobnicate"}, {"run"}, {"run", sweep_, "--jobs", "0"}, {"status", out_}}) {
    const Result result = finish(start(arguments, "ok"));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_TRUE(result.err.starts_with("wansweep: ")) << result.err;
  }
}

}  // namespace
}  // namespace wansweep
