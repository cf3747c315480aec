#include "orchestrator/sweep/sweep_directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "schema/setting_fields.h"
#include "tests/orchestrator/sweep/small_sweep.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class SweepDirectoryTest : public testing::Test {
 protected:
  void write(const std::string& base, int repeats) {
    write_sweep_record(sweep_.path(), SmallSweep::parsed(base, repeats), SmallSweep::planned(base, repeats));
  }
  SweepRecord record() const { return read_sweep_record(sweep_.path()); }

  SmallSweep sweep_;
};

TEST_F(SweepDirectoryTest, TheRunsOfTheFileBeforeItWasEditedStayInTheRecord) {
  write("steps = 3\n", 2);
  EXPECT_TRUE(record().earlier.empty());
  const std::vector<ListedRun> first = record().runs;
  write("steps = 4\n", 1);
  ASSERT_EQ(record().earlier.size(), 1u);
  EXPECT_EQ(record().runs.size(), 1u);
  ASSERT_EQ(record().earlier[0].runs.size(), 2u);
  EXPECT_EQ(record().earlier[0].runs[1].run, first[1].run);
  EXPECT_EQ(record().earlier[0].text, SmallSweep::text_of("steps = 3\n", 2));
  EXPECT_TRUE(read_sweep_specs(sweep_.path()).contains(first[0].config)) << "what ran can be looked up";

  write("steps = 4\n", 1);
  EXPECT_EQ(record().earlier.size(), 1u) << "the same again changes nothing";
  write("steps = 3\n", 1);
  const SweepRecord back = record();
  EXPECT_EQ(back.runs[0].run, first[0].run);
  ASSERT_EQ(back.earlier.size(), 2u);
  EXPECT_EQ(back.earlier[0].runs.size(), 1u) << "its second repeat is still not asked for";
  EXPECT_EQ(back.earlier[1].text, SmallSweep::text_of("steps = 4\n", 1));
}

TEST_F(SweepDirectoryTest, ARecordThatCannotBeReadIsNotReplaced) {
  for (const char* text : {"", "{}", "[]"}) {
    write_text(sweep_.path() + "/sweep.json", text);
    expect_error(ExitCode::bad_input, "sweep.json", [&] { write("steps = 3\n", 2); });
    EXPECT_EQ(read_text(sweep_.path() + "/sweep.json"), text);
  }
}

TEST_F(SweepDirectoryTest, AMovedProjectHasTheSameRuns) {
  const fs::path before = fs::current_path();
  std::vector<std::string> hashes;
  for (const char* place : {"here", "there"}) {
    fs::create_directories(sweep_.directory / place + "/models");
    fs::copy(SmallSweep::tiny_model(), sweep_.directory / place + "/models/wan", fs::copy_options::recursive);
    fs::current_path(sweep_.directory / place);
    const Plan plan = make_plan(parse_sweep(SmallSweep::text_of("steps = 3\n", 1, "./models/wan"), "s.toml"));
    refuse_problems(plan);
    hashes.push_back(plan.configurations.at(0).hash);
    EXPECT_EQ(plan.configurations.at(0).spec.model, fs::current_path() / "models/wan") << "where the worker finds it";
    const auto read = settings_from_json(to_json(plan.configurations.at(0).spec), "spec.json");
    EXPECT_EQ(settings_hash(read), hashes.back());
  }
  fs::current_path(before);
  EXPECT_EQ(hashes[0], hashes[1]);
}

// Earlier versions hashed absolute paths. The runs of a directory that they made must not be repeated.
TEST_F(SweepDirectoryTest, ADirectoryOfAnOlderWansweepKeepsItsNames) {
  const fs::path before = fs::current_path();
  fs::create_directories(sweep_.directory / "models");
  fs::copy(SmallSweep::tiny_model(), sweep_.directory / "models/wan", fs::copy_options::recursive);
  fs::current_path(sweep_.directory.path());
  const std::string absolute = SmallSweep::text_of("steps = 3\n", 1, sweep_.directory / "models/wan");
  const Sweep old = parse_sweep(absolute, "s.toml");
  const Plan old_plan = make_plan(old);
  write_sweep_record(sweep_.path(), old, old_plan);

  Plan plan = make_plan(parse_sweep(SmallSweep::text_of("steps = 3\n", 1, "models/wan"), "s.toml"));
  fs::current_path(before);
  ASSERT_NE(plan.configurations[0].hash, old_plan.configurations[0].hash);
  keep_recorded_names(sweep_.path(), plan);
  EXPECT_EQ(plan.configurations[0].hash, old_plan.configurations[0].hash);
  EXPECT_EQ(plan.configurations[0].name, old_plan.configurations[0].name);
  EXPECT_EQ(settings_hash(plan.configurations[0].spec), plan.configurations[0].hash);
}

}  // namespace
}  // namespace wansweep
