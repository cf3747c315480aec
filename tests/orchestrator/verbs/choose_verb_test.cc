#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class ChooseVerbTest : public ProgramTest {
 protected:
  Result wansweep(const std::vector<std::string>& arguments) { return finish(start(arguments, "ok")); }
};

TEST_F(ChooseVerbTest, TheStudysQuestionIsAnsweredFromTheFactsByOneCommand) {
  const Result result = wansweep({"choose", "t2v-a14b", "--size", "1280x720", "--frames", "81", "--ranks", "4,6",
                                  "--machine", "aces", "-o", directory_ / "decide.toml"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("\n4 ranks\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("\n6 ranks\n"), std::string::npos);
  EXPECT_NE(result.out.find(" of 4 GPUs and "), std::string::npos) << result.out;
  const std::string sweep = read_text(directory_ / "decide.toml");
  EXPECT_NE(sweep.find("[[include]] # "), std::string::npos) << sweep << result.out;
  const Result plan = wansweep({"plan", directory_ / "decide.toml"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  const Result json = wansweep(
      {"choose", "t2v-a14b", "--size", "1280x720", "--frames", "81", "--ranks", "4", "--machine", "aces", "--json"});
  const auto ranking = nlohmann::json::parse(json.out).at(0);
  EXPECT_EQ(ranking.at("ranks"), 4);
  EXPECT_GT(ranking.at("pairs").size(), 10U);
}

TEST_F(ChooseVerbTest, PredictionsOfASweepAsTableAsDataAndInItsDirectory) {
  const std::string jobs = WANSWEEP_SOURCE_DIR "/jobs/h200-offload-4.toml";
  const Result text = wansweep({"predict", jobs, "--machine", "h200-nvlink", "--dir", out_});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("Predicted, not measured, for machine h200-nvlink"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("where the intervals come from"), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(out_ + "/predictions"), fs::directory_iterator()), 1);
  EXPECT_EQ(text.err.find("in place of"), std::string::npos) << text.err;
  const Result again = wansweep({"predict", jobs, "--machine", "h200-nvlink", "--dir", out_});
  EXPECT_NE(again.err.find("in place of the "), std::string::npos) << "it is said what was replaced: " << again.err;
  const Result json = wansweep({"predict", jobs, "--machine", "h200-nvlink", "--json"});
  const auto rows = nlohmann::json::parse(json.out);
  EXPECT_GT(rows.size(), 3U);
  EXPECT_LE(rows.at(0).at("total_low_s"), rows.at(0).at("total_s"));
  const Result csv = wansweep({"predict", jobs, "--machine", "h200-nvlink", "--csv"});
  EXPECT_TRUE(csv.out.starts_with("machine,machine_digest,configuration,config,ranks,offload,total_s,")) << csv.out;
}

TEST_F(ChooseVerbTest, AMachinesFileThatMayNoLongerHoldIsNamed) {
  std::string probed = read_text(WANSWEEP_SOURCE_DIR "/machines/aces.toml");
  const std::string source = "source = \"facts\"";
  probed.replace(probed.find(source), source.size(), "source = \"probe\"\nwansweep = \"0.0.1 0123abc\"");
  const std::string file = directory_ / "old.toml";
  write_file_atomically(file, probed);
  const std::string jobs = WANSWEEP_SOURCE_DIR "/jobs/h200-offload-4.toml";
  for (const std::string verb : {"predict", "plan"}) {
    const Result result = wansweep({verb, jobs, "--machine", file});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.err.find("old.toml may no longer hold: wansweep 0.0.1 measured it"), std::string::npos)
        << result.err;
  }
}

TEST_F(ChooseVerbTest, AFileThatSomebodyElseWroteIsNotReplaced) {
  const std::vector<std::string> ask{"choose",    "t2v-a14b", "--size",  "1280x720",
                                     "--frames",  "81",       "--ranks", "4,4",
                                     "--machine", "aces",     "-o",      directory_ / "own.toml"};
  write_file_atomically(directory_ / "own.toml", "# mine\n");
  const Result refused = wansweep(ask);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("own.toml: `wansweep choose` did not write this file"), std::string::npos) << refused.err;
  EXPECT_EQ(read_text(directory_ / "own.toml"), "# mine\n");
  fs::remove(directory_ / "own.toml");
  for (int again = 0; again < 2; ++again) {
    const Result written = wansweep(ask);
    EXPECT_EQ(written.exit_code, 0) << written.err;
    EXPECT_EQ(written.out.find("no way"), std::string::npos) << "4,4 is 4: " << written.out;
  }
}

TEST_F(ChooseVerbTest, WhereNoWayCanRunNothingIsDecided) {
  const Result none = wansweep({"choose", "t2v-a14b", "--size", "1280x720", "--frames", "80", "--ranks", "4",
                                "--machine", "aces", "-o", directory_ / "none.toml"});
  EXPECT_EQ(none.exit_code, 2) << none.out;
  EXPECT_EQ(none.err,
            "wansweep: no way can run: frames is 80; a number of the form 4n + 1 is needed, for example 81\n");
  EXPECT_EQ(none.out, "");
  EXPECT_FALSE(fs::exists(directory_ / "none.toml"));
}

TEST_F(ChooseVerbTest, SetCannotNameWhatTheWaysDecide) {
  for (const std::string set : {"ranks=6", "offload=swap", "host_memory=pageable", "frames=41"}) {
    const Result refused = wansweep({"choose", "t2v-a14b", "--size", "1280x720", "--frames", "81", "--ranks", "4",
                                     "--machine", "aces", "--set", set, "--json"});
    EXPECT_EQ(refused.exit_code, 2) << set;
    EXPECT_NE(refused.err.find("--set is " + set), std::string::npos) << refused.err;
  }
}

TEST_F(ChooseVerbTest, WhatCannotBeAnsweredIsBadInput) {
  const Result machine = wansweep({"predict", sweep_, "--machine", "acess"});
  EXPECT_EQ(machine.exit_code, 2);
  EXPECT_NE(machine.err.find("machine acess: there is no such file; there are aces, "), std::string::npos)
      << machine.err;
  const Result model = wansweep(
      {"choose", "no/such/model", "--size", "1280x720", "--frames", "81", "--ranks", "4", "--machine", "aces"});
  EXPECT_EQ(model.exit_code, 2);
  EXPECT_EQ(model.out, "");
  EXPECT_NE(model.err.find("MODEL is no/such/model: "), std::string::npos) << model.err;
}

}  // namespace
}  // namespace wansweep
