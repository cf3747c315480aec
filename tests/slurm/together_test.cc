// Two commands at the same time, on one sweep and on one database.

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <sstream>

#include "base/process.h"
#include "tests/slurm/slurm_sweep.h"

namespace wansweep::test {
namespace {

class Together : public OnSlurm {};

// Starts all commands at once.
std::vector<Outcome> at_once(const std::vector<std::vector<std::string>>& commands) {
  const TemporaryDirectory directory;
  std::vector<pid_t> started;
  for (size_t i = 0; i < commands.size(); ++i) {
    const std::string file = directory / fmt::format("out{}", i);
    started.push_back(spawn({commands[i], {}, file, file}));
  }
  std::vector<Outcome> outcomes;
  for (size_t i = 0; i < commands.size(); ++i) {
    int status = 0;
    waitpid(started[i], &status, 0);
    std::ifstream stream(directory / fmt::format("out{}", i));
    std::ostringstream text;
    text << stream.rdbuf();
    outcomes.push_back({WIFEXITED(status) ? WEXITSTATUS(status) : -1, text.str()});
  }
  return outcomes;
}

// Expects that the command has done its work, or that it says which other command is doing it.
void expect_done_or_busy(const Outcome& outcome) {
  if (outcome.exit_code == 0) return;
  EXPECT_EQ(outcome.exit_code, 16) << outcome.out;
  EXPECT_NE(outcome.out.find("another"), std::string::npos) << outcome.out;
}

TEST_F(Together, SubmitsAndLooksAtOnceOfOneSweepDoTheWorkOnce) {
  SweepSettings settings;
  settings.runs = 8;
  settings.worker = "basename \"$out\" >>\"$out/../../ran\"\nexit 10\n";
  const SlurmSweep sweep(settings);
  const std::vector<std::string> submit = sweep.submit_arguments();
  bool one_did = false;
  for (const Outcome& outcome : at_once({submit, submit, submit})) {
    expect_done_or_busy(outcome);
    one_did |= outcome.out.find("8 runs submitted") != std::string::npos;
  }
  EXPECT_TRUE(one_did);
  const std::vector<std::string> watch{WANSWEEP_BIN_DIR "/wansweep", "status", sweep.out(), "--watch"};
  for (const Outcome& outcome : at_once({watch, watch})) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    EXPECT_NE(outcome.out.find("8 failed"), std::string::npos) << outcome.out;
  }
  const std::string ran = sweep.text("ran");
  EXPECT_EQ(std::count(ran.begin(), ran.end(), '\n'), 8) << ran;
}

TEST_F(Together, TwoGathersIntoOneDatabaseLoseNothing) {
  const SlurmSweep sweep((SweepSettings()));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  EXPECT_EQ(sweep.wait(60).begin()->second, "completed") << sweep.status().out;
  const std::string database = sweep.folder() + "/shared.db";
  const std::vector<std::string> gather{WANSWEEP_BIN_DIR "/wansweep", "gather", sweep.out(), "--db", database};
  for (const Outcome& outcome : at_once({gather, gather, gather})) expect_done_or_busy(outcome);
  const Outcome last = run_program(gather);
  EXPECT_EQ(last.exit_code, 0) << last.out;
  const Outcome count = run_program({WANSWEEP_BIN_DIR "/wansweep", "query", database, "--csv",
                                     "SELECT count(*) AS runs, min(state) AS state FROM attempt"});
  EXPECT_NE(count.out.find("1,completed"), std::string::npos) << count.out;
}

}  // namespace
}  // namespace wansweep::test
