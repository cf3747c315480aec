#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class RerunVerbTest : public ProgramTest {};

TEST_F(RerunVerbTest, RerunFailedTriesOnlyTheFailedRunsAgain) {
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

TEST_F(RerunVerbTest, RerunSaysWhatIsWrongWithItsArguments) {
  EXPECT_EQ(run().exit_code, 0);
  const auto error = [&](std::vector<std::string> arguments) {
    const Result result = finish(start(std::move(arguments), "ok"));
    EXPECT_EQ(result.exit_code, 2) << result.out;
    return result.err;
  };
  EXPECT_NE(error({"rerun", out_}).find("give --set KEY=VALUE or --failed"), std::string::npos);
  EXPECT_NE(error({"rerun", out_, "--set", "flow_shift=3"}).find("--reason is missing"), std::string::npos);
  EXPECT_NE(error({"rerun", "nowhere", "--failed"}).find("no such sweep"), std::string::npos);
  EXPECT_NE(error({"rerun", out_, "--set", "flow_shfit=3", "--dry-run"}).find("did you mean flow_shift?"),
            std::string::npos);
  EXPECT_EQ(finish(start({"gather", out_}, "ok")).exit_code, 17) << "fake traces are no HDF5";
  const std::vector<std::string> where{"rerun", out_, "--set", "flow_shift=3", "--dry-run", "--where"};
  std::vector<std::string> none = where;
  none.emplace_back("run LIKE 'r9%' -- a comment");
  EXPECT_NE(error(none).find("true for no run of s"), std::string::npos);
  std::vector<std::string> two = where;
  two.emplace_back("1); DELETE FROM run; SELECT (1");
  EXPECT_NE(error(two).find("--where"), std::string::npos);
  std::vector<std::string> one = where;
  one.emplace_back("run LIKE '%-2'");
  const Result dry = finish(start(one, "ok"));
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.out.find("1 runs are superseded by 1"), std::string::npos) << dry.out;
  EXPECT_FALSE(fs::exists(out_ + "/reruns"));
}

}  // namespace
}  // namespace wansweep
