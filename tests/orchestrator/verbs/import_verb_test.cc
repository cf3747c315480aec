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

}  // namespace
}  // namespace wansweep
