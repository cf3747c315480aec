// Shell completion and the manual page, read by bash, zsh and man.

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/process.h"
#include "base/shell_quote.h"
#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class ManualTest : public ProgramTest {
 protected:
  std::string printed(const std::vector<std::string>& arguments) {
    const Result result = finish(start(arguments, ""));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  // What bash would offer to complete the last of these words.
  std::string offered(const std::string& words, int count) {
    const std::string script = write_text(directory_ / "completion", printed({"completion", "bash"}));
    const std::string command = "source " + shell_quote(script) + "\nCOMP_WORDS=(" + words +
                                ")\nCOMP_CWORD=" + std::to_string(count) +
                                "\n_wansweep\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
    write_text(directory_ / "try.sh", command);
    finish(spawn({{"bash", directory_ / "try.sh"}, {}, directory_ / "stdout", directory_ / "stderr"}));
    return read_text(directory_ / "stdout") + read_text(directory_ / "stderr");
  }
};

TEST_F(ManualTest, BashCompletesVerbsTheVerbsOfVerbsAndTheirOptions) {
  EXPECT_EQ(offered("wansweep clus", 1), "cluster\n");
  EXPECT_EQ(offered("wansweep cluster ch", 2), "check\n");
  EXPECT_EQ(offered("wansweep cluster check --jo", 3), "--job\n");
  EXPECT_EQ(offered("wansweep submit --max", 2), "--max-running\n");
}

TEST_F(ManualTest, BashCompletesFilesElsewhere) {
  const std::string file = write_text(directory_ / "my-jobs.toml", "");
  EXPECT_EQ(offered("wansweep plan " + shell_quote(directory_ / "my-jo"), 2), file + "\n");
}

TEST_F(ManualTest, ZshReadsItsCompletion) {
  if (find_program("zsh").empty()) GTEST_SKIP() << "no zsh here";
  const std::string script = write_text(directory_ / "_wansweep", printed({"completion", "zsh"}));
  EXPECT_EQ(finish(spawn({{"zsh", "-n", script}, {}, directory_ / "stdout", directory_ / "stderr"})).exit_code, 0)
      << read_text(directory_ / "stderr");
}

TEST_F(ManualTest, ThePageHasEveryVerbItsOptionsAndTheExitCodes) {
  const std::string page = printed({"manual"});
  for (const char* part : {".TH WANSWEEP 1", ".SS wansweep plan", ".SS wansweep cluster check",
                           "\\fB\\-\\-max\\-running\\fR", ".B 19 stalled", ".B WANSWEEP_SHARE"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
}

TEST_F(ManualTest, AnUnknownShellIsRefused) {
  const Result result = finish(start({"completion", "fish"}, ""));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("SHELL is fish; bash or zsh is needed"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace wansweep
