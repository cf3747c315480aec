// The study's mistake, made and corrected as a user would: a sweep runs under the wrong resolver, the mistake is found,
// the sweep is rerun, and the two are compared.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/process.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class RerunEndToEnd : public testing::Test {
 protected:
  // Returns standard output. Standard error goes to the test's own log when the exit code is not 0.
  std::string wansweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), std::string(WANSWEEP_BIN_DIR) + "/wansweep");
    const pid_t pid = spawn({arguments, {}, directory_ / "stdout", directory_ / "stderr"});
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << fmt::format("{}: {}", fmt::join(arguments, " "), text("stderr"));
    return text("stdout");
  }

  Json json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    return Json::parse(wansweep(std::move(arguments)));
  }

  std::string text(const std::string& name) const {
    std::ifstream stream(directory_ / name, std::ios::binary);
    std::ostringstream all;
    all << stream.rdbuf();
    return all.str();
  }

  TemporaryDirectory directory_;
};

TEST_F(RerunEndToEnd, AMisresolvedSweepIsFoundCorrectedAndCompared) {
  // A local directory that SGLang takes for a Wan2.1 model.
  fs::create_directory_symlink(WANSWEEP_SOURCE_DIR "/tests/reference/tiny-wan2.2-t2v", directory_ / "wan2.2");
  const std::string jobs = write_text(
      directory_ / "study.toml",
      fmt::format("[sweep]\nname = \"study\"\nrepeats = 3\n[base]\nmodel = \"{}\"\nresolver = \"sglang-2025-12\"\nsize "
                  "= \"64x64\"\nframes = 17\nsteps = 27\nranks = 2\nlink_bandwidth = 1\n[matrix]\noffload = "
                  "[\"resident\", \"swap\"]\n",
                  directory_ / "wan2.2"));
  const std::string before = directory_ / "study";
  const std::string after = directory_ / "study-rerun1";
  EXPECT_NE(wansweep({"plan", jobs}).find("the experts switch at step 10, not 19"), std::string::npos);
  wansweep({"run", jobs, "--dir", before});
  wansweep({"gather", before});

  std::map<std::string, std::set<std::string>> drift;
  for (const Json& row : json({"query", before, "configuration_drift"})) {
    drift[row["setting"]].insert(
        fmt::format("{} not {}", row["used"].get<std::string>(), row["catalog"].get<std::string>()));
    if (row["setting"] != "flow_shift") continue;
    EXPECT_EQ(row["expected_switch"], 10);
    EXPECT_EQ(row["catalog_switch"], 19);
  }
  // 17 frames are 5 latent frames, which are rounded up to 6 for two ranks.
  EXPECT_EQ(drift, (std::map<std::string, std::set<std::string>>{
                       {"flow_shift", {"3 not 12"}}, {"frames", {"21 not 17"}}, {"guidance_scale", {"3 not 4"}}}));

  const std::string made =
      wansweep({"rerun", before, "--set", "resolver=catalog", "--reason", "SGLang took it for Wan2.1's 1.3B"});
  EXPECT_NE(made.find("6 runs are superseded by 6"), std::string::npos) << made;
  EXPECT_NE(made.find("10 of 27"), std::string::npos) << made;
  wansweep({"run", after + "/sweep.toml", "--dir", after});
  wansweep({"gather", before});

  EXPECT_TRUE(json({"query", before, "configuration_drift"}).empty());
  EXPECT_EQ(json({"query", before, "select distinct sweep from runs"}), Json::parse(R"([{"sweep": "study-rerun1"}])"));
  EXPECT_EQ(json({"query", before, "select run from runs_all where sweep = 'study'"}).size(), 6u);
  EXPECT_EQ(json({"query", before, "select distinct used from switch_steps"}), Json::parse(R"([{"used": 19}])"));
  EXPECT_EQ(json({"query", before, "select distinct reason from lineage"}),
            Json::parse(R"([{"reason": "SGLang took it for Wan2.1's 1.3B"}])"));

  const std::string answer = wansweep({"compare", before, after});
  EXPECT_NE(answer.find("the switch moves from step 10 to 19; the total time changes"), std::string::npos) << answer;
  EXPECT_NE(answer.find("flow_shift 3 -> 12"), std::string::npos) << answer;
  EXPECT_NE(answer.find("frames 21 -> 17"), std::string::npos) << answer;
  int totals = 0;
  for (const Json& row : json({"compare", before, after})) {
    EXPECT_EQ(row["runs"], "3/3") << row;
    if (row["metric"] == "switch step") {
      EXPECT_EQ(row["before"], 10) << row;
      EXPECT_EQ(row["after"], 19) << row;
      EXPECT_EQ(row["verdict"], "changed") << row;
    }
    if (row["metric"] != "total") continue;
    ++totals;
    EXPECT_GT(row["before"].get<double>(), 0) << row;
    EXPECT_GT(row["after"].get<double>(), 0) << row;
    EXPECT_LE(row["95% low"].get<double>(), row["change"].get<double>() + 1e-3) << row;
    EXPECT_GE(row["95% high"].get<double>(), row["change"].get<double>() - 1e-3) << row;
  }
  EXPECT_EQ(totals, 2);
}

}  // namespace
}  // namespace wansweep
