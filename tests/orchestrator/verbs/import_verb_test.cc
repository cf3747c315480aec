#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class ImportVerbTest : public ProgramTest {};

TEST_F(ImportVerbTest, AFileBehindASettingIsAFile) {
  const Result result = finish(start(
      {"import", "--run", "x", "--set", "engine=sglang", "--set", "offload=swap", directory_ / "missing.json"}, "ok"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("missing.json"), std::string::npos) << result.err;
}

TEST_F(ImportVerbTest, ASettingThatIsGivenTwiceHasOneValue) {
  const auto with = [&](const std::string& second) {
    return finish(start({"import", directory_ / "missing.json", "--run", "x", "--set", "engine=sglang", "--set",
                         "offload=swap", "--set", second},
                        "ok"));
  };
  EXPECT_EQ(with("offload=layerwise").err,
            "wansweep: --set offload=swap and --set offload=layerwise: both set offload; give one of them\n");
  EXPECT_NE(with("offload=swap").err.find("missing.json"), std::string::npos);
}

// Two ranks of the tiny model on the CPU, whose traces have no work of a device.
TEST_F(ImportVerbTest, ANoteOfEachRanksFileIsSaidOnceAndStepsAreThoseOfTheRun) {
  std::vector<std::string> arguments{
      "import", "--run", "x", "--dir", directory_ / "imp", "--set", "offload=layerwise", "--set", "flow_shift=12"};
  for (const char* name : {"0.steps.json", "1.steps.json", "0.trace.json.gz", "1.trace.json.gz"}) {
    arguments.push_back(std::string(WANSWEEP_SOURCE_DIR "/tests/orchestrator/imports/real/cpu-profiled.") + name);
  }
  const Result result = finish(start(arguments, "ok"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find(": files of 2 ranks, 6 steps, 0 events\n"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("cpu-profiled.0.trace.json.gz and 1 more file: has no work of a device"), std::string::npos)
      << result.err;
  EXPECT_EQ(result.err.find("cpu-profiled.1.trace.json.gz"), std::string::npos) << result.err;
}

TEST_F(ImportVerbTest, OtherVerbsSayThatADirectoryHoldsImportsAndHowToAskThem) {
  const std::string directory = directory_ / "imp";
  const std::string files = WANSWEEP_SOURCE_DIR "/tests/orchestrator/imports/real/";
  finish(start({"import", files + "h100-swap.perf.json", "--run", "x", "--dir", directory, "--set", "offload=swap"},
               "ok"));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"status", directory},
                                                    {"logs", "x", "--dir", directory},
                                                    {"rerun", directory, "--failed"}}) {
    const Result result = finish(start(arguments, "ok"));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE(result.err.find("holds imports, which have no sweep's file: `wansweep query"), std::string::npos)
        << result.err;
  }
}

TEST_F(ImportVerbTest, GatherCountsAnImportThatALaterOneReplaced) {
  const std::string directory = directory_ / "imp";
  const std::string dump = WANSWEEP_SOURCE_DIR "/tests/orchestrator/imports/real/h100-swap.perf.json";
  for (const char* shift : {"flow_shift=12", "flow_shift=5"}) {
    finish(
        start({"import", dump, "--run", "x", "--dir", directory, "--replace", "--set", "offload=swap", "--set", shift},
              "ok"));
  }
  const Result result = finish(start({"gather", directory}, "ok"));
  EXPECT_NE(result.out.find("2 attempts, 1 of them replaced by a later one: 1 added, "), std::string::npos)
      << result.out;
  EXPECT_EQ(finish(start({"gather", directory_ / "nope"}, "ok")).err,
            fmt::format("wansweep: {}: no such directory\n", directory_ / "nope"));
}

}  // namespace
}  // namespace wansweep
