// No run is submitted twice, and no run is forgotten.

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <thread>

#include "base/process.h"
#include "tests/slurm/slurm_sweep.h"

namespace wansweep::test {
namespace {

namespace fs = std::filesystem;

class Submission : public OnSlurm {};

// A worker that writes down for which attempt it ran.
constexpr const char* telling_worker = "basename \"$out\" >>\"$out/../../ran\"\nexit 10\n";

// How often each run was executed, by the run's name.
std::map<std::string, int> times_run(const SlurmSweep& sweep) {
  std::map<std::string, int> times;
  std::istringstream lines(sweep.text("ran"));
  for (std::string line; std::getline(lines, line);) ++times[line.substr(0, line.rfind("-a"))];
  return times;
}

// Wraps the real sbatch, and sleeps before and after it, so that wansweep can be killed then.
std::string slow_sbatch(const TemporaryDirectory& directory) {
  const std::string file = write_text(directory / "sbatch", fmt::format("#!/bin/bash\nsleep 0.2\n{} \"$@\"\ncode=$?\n"
                                                                        "sleep 0.2\nexit $code\n",
                                                                        find_program("sbatch")));
  fs::permissions(file, fs::perms::owner_all);
  return directory.path() + ":" + std::getenv("PATH");
}

TEST_F(Submission, KilledAtTwentyPointsNoRunIsLostOrDoubled) {
  constexpr int points = 20;
  constexpr auto whole = std::chrono::milliseconds(1100);  // two arrays: 2 x 0.4 s in sbatch, and time for the files
  const TemporaryDirectory shims;
  const std::string path = slow_sbatch(shims);
  std::vector<std::unique_ptr<SlurmSweep>> sweeps;
  for (int point = 0; point < points; ++point) {
    SweepSettings settings;
    settings.worker = telling_worker;
    settings.matrix = "ranks = [1, 2]";
    settings.profile = "launcher = \"mpirun\"";
    settings.environment = fmt::format("PATH = \"{}:{}\"\n", shims.path() + "/one", std::getenv("PATH"));
    sweeps.push_back(std::make_unique<SlurmSweep>(settings));
  }
  // The pretended worker needs only one rank.
  fs::create_directory(shims / "one");
  fs::permissions(write_text(shims / "one/mpirun", "#!/bin/bash\nshift 4\nexec \"$@\"\n"), fs::perms::owner_all);
  for (int point = 0; point < points; ++point) {
    const pid_t pid = spawn({sweeps[point]->submit_arguments(), {{"PATH", path}}, "/dev/null", "/dev/null"});
    std::this_thread::sleep_for(whole * point / points);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  std::vector<pid_t> again;
  for (const auto& sweep : sweeps) {
    again.push_back(spawn({sweep->submit_arguments(), {}, "/dev/null", sweep->folder() + "/again"}));
  }
  for (int point = 0; point < points; ++point) {
    int status = 0;
    waitpid(again[point], &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "killed at point " << point;
  }
  for (int point = 0; point < points; ++point) {
    const auto states = sweeps[point]->wait(60);
    const std::map<std::string, int> times = times_run(*sweeps[point]);
    EXPECT_EQ(times.size(), 2u) << "killed at point " << point;
    for (const auto& [run, count] : times) EXPECT_EQ(count, 1) << run << ", killed at point " << point;
    for (const auto& [attempt, state] : states) {
      EXPECT_TRUE(state == "failed" || state == "withdrawn") << attempt << " is '" << state << "', point " << point;
    }
  }
}

TEST_F(Outage, WithoutAControllerNothingIsSentTwice) {
  SweepSettings settings;
  settings.worker = telling_worker;
  settings.profile = "command_timeout = 3";
  const SlurmSweep sweep(settings);
  cluster("stop-ctld");
  const Outcome down = sweep.submit();
  const Outcome again = sweep.submit();
  cluster("start-ctld");
  EXPECT_EQ(down.exit_code, 20) << down.out;
  EXPECT_EQ(again.exit_code, 20) << again.out;
  EXPECT_NE(again.out.find("nothing is submitted again"), std::string::npos) << again.out;
  const Outcome up = sweep.submit();
  EXPECT_EQ(up.exit_code, 0) << up.out;
  sweep.wait(40);
  for (const auto& [run, count] : times_run(sweep)) EXPECT_EQ(count, 1) << run;
  EXPECT_EQ(times_run(sweep).size(), 1u);
}

TEST_F(Submission, AWarningOnStandardErrorIsNoRefusal) {
  SweepSettings settings;
  settings.worker = telling_worker;
  const SlurmSweep sweep(settings);
  const TemporaryDirectory shims;
  fs::permissions(
      write_text(shims / "sbatch", fmt::format("#!/bin/bash\necho 'sbatch: error: Slurm temporarily unable "
                                               "to accept job, sleeping and retrying' >&2\nexec {} \"$@\"\n",
                                               find_program("sbatch"))),
      fs::perms::owner_all);
  const Outcome outcome = run_program(sweep.submit_arguments(), {{"PATH", shims.path() + ":" + std::getenv("PATH")}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  sweep.wait(30);
  EXPECT_EQ(times_run(sweep).size(), 1u);
}

TEST_F(Submission, WhatSlurmRefusesIsShownInItsWords) {
  SweepSettings settings;
  settings.worker = telling_worker;
  settings.profile = "account = \"nobody\"";
  const SlurmSweep sweep(settings);
  const Outcome refused = sweep.submit();
  EXPECT_EQ(refused.exit_code, 2) << refused.out;
  EXPECT_NE(refused.out.find("Invalid account"), std::string::npos) << refused.out;
  const Outcome mended = sweep.submit({"--account", "demo"});
  EXPECT_EQ(mended.exit_code, 0) << mended.out;
  sweep.wait(30);
  EXPECT_EQ(times_run(sweep).size(), 1u);
}

TEST_F(Submission, WhatNoNodeHasIsRefusedBeforeAnythingIsMade) {
  SweepSettings settings;
  settings.matrix = "ranks = [8]";
  const SlurmSweep sweep(settings);
  const Outcome refused = sweep.submit();
  EXPECT_EQ(refused.exit_code, 2) << refused.out;
  EXPECT_NE(refused.out.find("max_nodes is 1"), std::string::npos) << refused.out;
  const Outcome longer = sweep.submit({"--time", "2:00:00"});
  EXPECT_EQ(longer.exit_code, 2) << longer.out;
  EXPECT_FALSE(fs::exists(sweep.out()));
}

TEST_F(Submission, AScriptThatWasGeneratedRunsByHandAndIsFound) {
  SweepSettings settings;
  settings.worker = telling_worker;
  const SlurmSweep sweep(settings);
  std::vector<std::string> arguments = sweep.submit_arguments();
  arguments[1] = "generate";
  const Outcome generated = run_program(arguments);
  ASSERT_EQ(generated.exit_code, 0) << generated.out;
  std::string script;
  for (const auto& entry : fs::directory_iterator(sweep.out() + "/submissions")) script = entry.path() / "job.sh";
  const Outcome by_hand = run_program({"sbatch", "--chdir=" + sweep.folder(), script});
  ASSERT_EQ(by_hand.exit_code, 0) << by_hand.out;
  const Outcome after = sweep.submit();
  EXPECT_NE(after.out.find("0 runs submitted"), std::string::npos) << after.out;
  sweep.wait(30);
  for (const auto& [run, count] : times_run(sweep)) EXPECT_EQ(count, 1) << run;
}

}  // namespace
}  // namespace wansweep::test
