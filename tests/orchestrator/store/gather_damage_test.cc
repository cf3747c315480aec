// What `gather` makes of attempts that are damaged, cut short, or not what their records say.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"

#include "orchestrator/store/gather.h"
#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using synthetic::Shape;
using synthetic::write_attempt;

class GatherDamageTest : public SweepTest {};

TEST_F(GatherDamageTest, ALongerTraceReplacesTheShorterAndNeverTheOtherWay) {
  const Shape shape{.offload = "swap", .spike_ms = 500};
  Shape part = shape;
  part.steps = 8;
  part.state = "";
  const std::string directory = write_attempt(sweep_, part);
  gather_all();
  fs::remove_all(directory);
  write_attempt(sweep_, shape);
  const GatherReport longer = gather_all();
  EXPECT_EQ(longer.replaced, 1);
  EXPECT_EQ(longer.complete, 1);
  EXPECT_EQ(number("SELECT count(*) FROM step"), 54);
  EXPECT_EQ(number("SELECT count(*) FROM event"), number("SELECT sum(events) FROM rank"));
  const std::string before = contents();

  fs::remove_all(directory);
  write_attempt(sweep_, part);
  const GatherReport shorter = gather_all();
  EXPECT_EQ(shorter.kept, 1);
  ASSERT_EQ(shorter.problems.size(), 1u);
  EXPECT_NE(shorter.problems[0].find("is shorter than when it was gathered"), std::string::npos);
  EXPECT_EQ(contents(), before);
}

TEST_F(GatherDamageTest, AnotherExecutionUnderTheSameNameIsRefused) {
  const std::string directory = write_attempt(sweep_, {});
  gather_all();
  const std::string before = contents();
  fs::remove_all(directory);
  write_attempt(sweep_, {.slower_ms = 7});
  const GatherReport report = gather_all();
  EXPECT_EQ(report.kept, 1);
  EXPECT_NE(report.problems.at(0).find("is of another execution"), std::string::npos);
  EXPECT_EQ(contents(), before);
}

TEST_F(GatherDamageTest, AGarbageTraceIsNamedEachTimeAndTheRestIsGathered) {
  const std::string bad = write_attempt(sweep_, {});
  write_attempt(sweep_, {.offload = "swap"});
  std::ofstream(bad + "/rank-0001.h5") << "garbage";
  for (int time = 0; time < 2; ++time) {
    const GatherReport report = gather_all();
    ASSERT_FALSE(report.problems.empty());
    EXPECT_NE(report.problems[0].find("rank-0001.h5: is not a wansweep trace"), std::string::npos);
    EXPECT_EQ(number("SELECT count(*) FROM attempt"), 2);
    EXPECT_EQ(number("SELECT count(*) FROM current_attempt"), 1);
    EXPECT_EQ(number("SELECT count(*) FROM rank"), 3);
  }
  EXPECT_EQ(text("SELECT state FROM runs WHERE run LIKE 'resident%'"), "damaged");
}

TEST_F(GatherDamageTest, ARecordThatItsTracesDoNotBearOutIsNotComplete) {
  const std::string directory = write_attempt(sweep_, {});
  Completion completion = *read_completion(directory);
  completion.traces[1].events += 1;
  write_completion(directory, completion);
  EXPECT_NE(gather_all().problems.at(0).find("completed.json says"), std::string::npos);
  EXPECT_EQ(number("SELECT complete FROM attempt"), 0);
}

TEST_F(GatherDamageTest, ACompletionRecordCountsWhenTheLauncherIsSilentButNotAgainstIt) {
  write_attempt(sweep_, {.state = ""});
  write_attempt(sweep_, {.offload = "swap", .state = "cancelled"});
  const GatherReport report = gather_all();
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("the launcher recorded cancelled"), std::string::npos);
  EXPECT_EQ(number("SELECT count(*) FROM current_attempt"), 1);
}

TEST_F(GatherDamageTest, EachBadEntryIsALineAndTheRestIsGathered) {
  write_attempt(sweep_, {});
  const std::string zero = write_attempt(sweep_, {.repeat = 2});
  const std::string attempts = sweep_ + "/attempts/";
  fs::remove(zero + "/rank-0000.h5");
  fs::create_symlink("/dev/zero", zero + "/rank-0000.h5");
  fs::create_symlink("loop", attempts + "loop");
  ASSERT_EQ(mkfifo((attempts + "pipe").c_str(), 0600), 0);
  fs::create_directories(attempts + "odd");
  ASSERT_EQ(mkfifo((attempts + "odd/attempt.json").c_str(), 0600), 0);
  fs::create_directories(attempts + "deep");
  std::ofstream(attempts + "deep/attempt.json") << std::string(200'000, '[');
  ASSERT_EQ(mkfifo((sweep_ + "/sweep.json").c_str(), 0600), 0);
  const GatherReport report = gather_all();
  EXPECT_EQ(report.added, 2);
  EXPECT_EQ(report.complete, 1);
  for (const char* part : {"loop: cannot be read", "pipe: is not the directory of an attempt",
                           "odd/attempt.json: is not a regular file", "deep/attempt.json: is nested deeper",
                           "rank-0000.h5: is not a regular file", "sweep.json: is not a regular file"}) {
    EXPECT_TRUE(std::any_of(report.problems.begin(), report.problems.end(), [&](const std::string& line) {
      return line.find(part) != std::string::npos;
    })) << part;
  }
}

TEST_F(GatherDamageTest, BadRecordsAreProblemsAndFoldersCutOffAreNot) {
  fs::create_directories(sweep_ + "/attempts/cut-off-a1");
  const std::string directory = write_attempt(sweep_, {});
  std::ofstream(directory + "/attempt.json") << "{";
  const GatherReport report = gather_all();
  EXPECT_EQ(report.attempts, 0);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("attempt.json"), std::string::npos);
  Store store = open_store(database_);
  EXPECT_THROW(gather(directory_ + "/none", store), Error);
}

TEST_F(GatherDamageTest, ARecordThatIsEmptyOrGoneIsNamedAndItsRunIsNotCalledNotStarted) {
  const std::string empty = write_attempt(sweep_, {});
  const std::string gone = write_attempt(sweep_, {.offload = "swap"});
  const std::string record = read_text(empty + "/attempt.json");
  const nlohmann::json attempt = nlohmann::json::parse(record);
  const nlohmann::json listed{{"run", attempt["run"]}, {"config", attempt["config"]}, {"repeat", attempt["repeat"]}};
  std::ofstream(sweep_ + "/sweep.json") << nlohmann::json{{"sweep", attempt["sweep"]}, {"runs", {listed}}};
  std::ofstream(empty + "/attempt.json") << "";
  fs::remove(gone + "/attempt.json");
  for (int time = 0; time < 2; ++time) {
    const GatherReport report = gather_all();
    ASSERT_EQ(report.problems.size(), 2u);
    EXPECT_NE(report.problems[0].find("/attempt.json: is not JSON"), std::string::npos) << report.problems[0];
    EXPECT_NE(report.problems[1].find("/attempt.json: is missing, but state.json shows that the attempt ran"),
              std::string::npos)
        << report.problems[1];
    EXPECT_EQ(text("SELECT state FROM runs"), "cannot be read");
  }
  std::ofstream(empty + "/attempt.json") << record;
  gather_all();
  EXPECT_EQ(text("SELECT state FROM runs WHERE run LIKE 'resident%'"), "complete");
}

TEST_F(GatherDamageTest, AnEmptyStateIsNotTakenForNoState) {
  const std::string directory = write_attempt(sweep_, {});
  std::ofstream(directory + "/state.json") << "";
  const GatherReport report = gather_all();
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("/state.json: is not JSON"), std::string::npos) << report.problems[0];
}

class ResultTest : public SweepTest {
 protected:
  void SetUp() override {
    SweepTest::SetUp();
    directory_of_attempt_ = write_attempt(sweep_, {});
    result_ = directory_of_attempt_ + "/result.safetensors";
    std::ofstream(result_) << "latents";
    Completion completion = *read_completion(directory_of_attempt_);
    completion.result = describe_result(directory_of_attempt_);
    write_completion(directory_of_attempt_, completion);
    EXPECT_TRUE(gather_all().problems.empty());
    EXPECT_EQ(number("SELECT complete AND result_bytes = 7 AND length(result_sha256) = 64 FROM attempt"), 1);
    EXPECT_EQ(gather_all().unchanged, 1);
  }
  void expect_damage(const std::string& part) const {
    for (int time = 0; time < 2; ++time) {
      const GatherReport report = gather_all();
      ASSERT_EQ(report.problems.size(), 1u);
      EXPECT_NE(report.problems[0].find(part), std::string::npos) << report.problems[0];
      EXPECT_EQ(number("SELECT complete FROM attempt"), 0);
    }
    EXPECT_EQ(text("SELECT state FROM runs"), "damaged");
  }
  std::string directory_of_attempt_, result_;
};

TEST_F(ResultTest, AFlippedByteIsDamage) {
  std::ofstream(result_) << "latentz";
  expect_damage("result.safetensors: was changed or cut");
}

TEST_F(ResultTest, AMissingResultIsDamage) {
  fs::remove(result_);
  expect_damage("result.safetensors: does not exist");
}

}  // namespace
}  // namespace wansweep
