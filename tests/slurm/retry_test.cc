// Failed runs that are submitted to Slurm again.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "tests/slurm/slurm_sweep.h"

namespace wansweep::test {
namespace {

class Rerun : public OnSlurm {};

// The worker's exit code says how each repeat's first attempt ends. The second attempt notes what it was given.
constexpr const char* worker = R"(
case $out in
  *-1-a1) exit 15 ;;
  *-2-a1) exit 11 ;;
  *-3-a1) exit 14 ;;
  *-4-a1) exit 2 ;;
  *-5-a1) exit 10 ;;
esac
scontrol show job "$SLURM_JOB_ID" >"$out/asked"
exit 12
)";

std::string attempt_named(const SlurmSweep& sweep, const std::string& ending) {
  for (const std::string& attempt : sweep.attempts()) {
    if (attempt.ends_with(ending)) return "attempts/" + std::filesystem::path(attempt).filename().string();
  }
  return "attempts/none";
}

TEST_F(Rerun, EachFailedRunIsRetriedWithWhatItNeedsAndNoOtherRunIs) {
  SweepSettings settings;
  settings.runs = 5;
  settings.worker = worker;
  const SlurmSweep sweep(settings);
  ASSERT_EQ(sweep.submit().exit_code, 0);
  sweep.wait(60);
  const std::string node = sweep.text(attempt_named(sweep, "-3-a1") + "/job.json");

  const Outcome plain = sweep.rerun();
  EXPECT_EQ(plain.exit_code, 0) << plain.out;
  EXPECT_NE(plain.out.find("1 of 5 failed runs submitted again"), std::string::npos) << plain.out;
  EXPECT_NE(plain.out.find("give --time-factor"), std::string::npos) << plain.out;
  EXPECT_NE(plain.out.find("give --mem-factor"), std::string::npos) << plain.out;
  sweep.wait(60);
  const std::string elsewhere = sweep.text(attempt_named(sweep, "-3-a2") + "/asked");
  const size_t excluded = elsewhere.find("ExcNodeList=n");
  ASSERT_NE(excluded, std::string::npos) << elsewhere;
  EXPECT_NE(node.find("\"nodes\": \"" + elsewhere.substr(excluded + 12, 2)), std::string::npos) << node;

  const Outcome granted = sweep.rerun({"--time-factor", "2", "--mem-factor", "3"});
  EXPECT_EQ(granted.exit_code, 0) << granted.out;
  EXPECT_NE(granted.out.find("3 of 5 failed runs submitted again"), std::string::npos) << granted.out;
  sweep.wait(60);
  EXPECT_NE(sweep.text(attempt_named(sweep, "-1-a2") + "/asked").find("TimeLimit=00:10:00"), std::string::npos);
  EXPECT_NE(sweep.text(attempt_named(sweep, "-2-a2") + "/asked").find("MinMemoryNode=3G"), std::string::npos);
  EXPECT_EQ(attempt_named(sweep, "-4-a2"), "attempts/none") << "a bad configuration fails again";
  EXPECT_EQ(attempt_named(sweep, "-5-a2"), "attempts/none") << "the device's memory does not grow";
  EXPECT_NE(sweep.submit().out.find("0 runs submitted"), std::string::npos);

  const Outcome same = sweep.rerun({"--mem-factor", "1"});
  EXPECT_NE(same.exit_code, 0);
  EXPECT_NE(same.out.find("above 1"), std::string::npos) << same.out;
}

TEST_F(Rerun, WhatWasCancelledIsSubmittedAgainByHandOnly) {
  SweepSettings settings;
  settings.worker = "case $out in *-a1) touch \"$out/../../at-work\"; exec sleep 300 ;; esac\nexit 10\n";
  const SlurmSweep sweep(settings);
  ASSERT_EQ(sweep.submit().exit_code, 0);
  ASSERT_TRUE(sweep.wait_for_file("at-work", 40));
  EXPECT_EQ(sweep.cancel().exit_code, 0);
  EXPECT_EQ(sweep.wait(40).begin()->second, "cancelled");
  EXPECT_NE(sweep.rerun().out.find("no run has failed"), std::string::npos);
  const Outcome again = sweep.submit();
  EXPECT_NE(again.out.find("1 runs submitted"), std::string::npos) << again.out;
  EXPECT_EQ(sweep.wait(40).rbegin()->second, "failed");
}

TEST_F(Rerun, ACorrectedProfileReplacesTheOneOfTheSubmission) {
  const SlurmSweep sweep(pretended("touch \"$out/../../with ${CORRECTED:-the first}\"\nexit 12\n"));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  sweep.wait(40);
  const TemporaryDirectory profiles;
  const std::string corrected = profiles / "corrected.toml";
  std::filesystem::copy_file(WANSWEEP_SOURCE_DIR "/slurm/local-test.toml", corrected);
  std::ofstream(corrected, std::ios::app) << "CORRECTED = \"the second\"\n";  // the last table is [environment]
  const Outcome again = sweep.rerun({"--cluster", corrected});
  EXPECT_EQ(again.exit_code, 0) << again.out;
  EXPECT_TRUE(sweep.wait_for_file("with the second", 40));
  const Outcome unknown = sweep.rerun({"--cluster", "nowhere"});
  EXPECT_EQ(unknown.exit_code, 2) << unknown.out;
  sweep.wait(40);
}

TEST_F(Rerun, ARequestBeyondALimitIsNotSentAndTheLimitIsNamed) {
  const SlurmSweep sweep(pretended("exit 15\n"));
  ASSERT_EQ(sweep.submit().exit_code, 0);
  sweep.wait(40);
  const Outcome beyond = sweep.rerun({"--time-factor", "99"});
  EXPECT_EQ(beyond.exit_code, 2) << beyond.out;
  EXPECT_NE(beyond.out.find("time_limit is 0-01:00:00"), std::string::npos) << beyond.out;
  EXPECT_EQ(sweep.attempts().size(), 1u);
}

}  // namespace
}  // namespace wansweep::test
