#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class NumberChecksTest : public ProgramTest {
 protected:
  std::string refusal(const std::vector<std::string>& arguments) {
    const Result result = finish(start(arguments, "ok"));
    EXPECT_EQ(result.exit_code, 2);
    return result.err;
  }
};

TEST_F(NumberChecksTest, ARefusalNamesTheOptionTheValueAndWhatIsPossible) {
  EXPECT_EQ(refusal({"run", sweep_, "--jobs", "0"}),
            "wansweep: --jobs: 0 is not possible; a whole number from 1 to 1024 is needed; see wansweep run --help\n");
  EXPECT_EQ(refusal({"probe", sweep_, "--seconds", "-1"}),
            "wansweep: --seconds: -1 is not possible; a number from 1 to 3600 is needed; see wansweep probe --help\n");
  EXPECT_EQ(refusal({"query", "x.db", "runs", "--timeout", "1e400"}),
            "wansweep: --timeout: 1e400 is not possible; a number above 0 is needed; see wansweep query --help\n");
  EXPECT_EQ(refusal({"import", "x", "--run", "r", "--repeat", "two"}),
            "wansweep: --repeat: two is not possible; a whole number from 1 to 10000 is needed; see wansweep import "
            "--help\n");
  EXPECT_EQ(refusal({"query", "x.db", "runs", "--max-rows", "1.5"}),
            "wansweep: --max-rows: 1.5 is not possible; a whole number of at least 0 is needed; see wansweep query "
            "--help\n");
}

TEST_F(NumberChecksTest, NoLimitIsPrintedWithHundredsOfDigits) {
  for (const std::vector<std::string>& arguments : {
           std::vector<std::string>{"choose", "t2v-a14b", "--size", "832x480", "--frames", "81", "--ranks", "4",
                                    "--machine", "m", "--host-memory", "0"},
           {"plan", sweep_, "--schedule", "r", "--link-rate", "1", "--step-seconds", std::string(309, '9')},
           {"run", sweep_, "--jobs", std::string(309, '9')},
       }) {
    EXPECT_LT(refusal(arguments).size(), 180u) << refusal(arguments);
  }
}

}  // namespace
}  // namespace wansweep
