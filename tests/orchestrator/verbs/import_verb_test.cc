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

}  // namespace
}  // namespace wansweep
