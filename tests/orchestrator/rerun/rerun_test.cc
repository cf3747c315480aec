#include "orchestrator/rerun/rerun.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "schema/model_catalog.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class RerunTest : public testing::Test {
 protected:
  RerunTest() : old_(directory_ / "study") {
    write_sweep("resolver = \"sglang-2025-12\"\nsize = \"64x64\"\nframes = 81\n", "offload = [\"resident\", \"swap\"]");
  }

  void write_sweep(const std::string& base, const std::string& matrix) {
    fs::remove_all(old_);
    const Sweep sweep =
        parse_sweep(fmt::format("[sweep]\nname = \"study\"\nrepeats = 2\n[base]\nmodel = "
                                "\"{}/tests/reference/tiny-wan2.2-t2v\"\nsteps = 27\nranks = 4\n{}[matrix]\n{}\n",
                                WANSWEEP_SOURCE_DIR, base, matrix),
                    "study.toml");
    const Plan plan = make_plan(sweep);
    refuse_problems(plan);
    create_sweep_directory(old_);
    write_sweep_record(old_, sweep, plan);
  }

  Rerun rerun(const std::vector<std::string>& changes, std::optional<std::vector<std::string>> chosen = {}) const {
    RerunRequest request;
    request.directory = old_;
    for (const std::string& change : changes) request.changes.push_back(parse_change(change));
    request.reason = "wrong";
    request.chosen = std::move(chosen);
    return plan_rerun(request);
  }

  static std::string line_of(const std::string& change) {
    try {
      parse_change(change);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_input);
      return error.what();
    }
    return "";
  }

  TemporaryDirectory directory_;
  std::string old_;
};

// SGLang of December 2025 cut the latents by frames: with its rounding, wansweep's contiguous tokens are the same cut.
TEST_F(RerunTest, UnderTheOldResolverEachRankHasWholeLatentFrames) {
  const Plan plan = make_plan(parse_sweep(
      fmt::format("[sweep]\nname = \"s\"\n[base]\nmodel = \"{}/tests/reference/tiny-wan2.2-t2v\"\nresolver = "
                  "\"sglang-2025-12\"\nsize = \"64x64\"\nframes = 81\n[matrix]\nranks = [4, 6, 8]\n",
                  WANSWEEP_SOURCE_DIR),
      "s.toml"));
  for (const PlannedConfiguration& c : plan.configurations) {
    ASSERT_EQ(c.problem, "");
    EXPECT_EQ(c.spec.frames, 93);
    const int64_t tokens_per_frame = c.run->tokens / 24;
    EXPECT_EQ(c.run->tokens, tokens_per_frame * 24);
    EXPECT_EQ(c.run->parallel.tokens_per_rank % tokens_per_frame, 0) << c.spec.ranks;
    EXPECT_EQ(c.run->parallel.tokens_per_rank * c.spec.ranks, c.run->tokens);
  }
}

TEST_F(RerunTest, AShiftSetByHandLeavesWhatElseTheResolverDecided) {
  const Rerun made = rerun({"flow_shift=12"});
  ASSERT_EQ(made.plan.configurations.size(), 2u);
  const RunSettings& spec = made.plan.configurations[0].spec;
  EXPECT_EQ(spec.flow_shift, 12.0);
  EXPECT_EQ(spec.guidance_scale, 3.0);
  EXPECT_EQ(spec.frames, 93);
  EXPECT_EQ(spec.sigma_schedule, SigmaSchedule::sglang);
  EXPECT_EQ(made.plan.configurations[0].run->switch_step, 19);
  EXPECT_NE(rerun_as_text(made).find("--set resolver=catalog would reset"), std::string::npos);
}

TEST_F(RerunTest, TheCatalogTakesBackAllThatTheResolverDecided) {
  for (const char* change : {"resolver=catalog", "resolver=files"}) {
    const Rerun made = rerun({change});
    const RunSettings& spec = made.plan.configurations.at(0).spec;
    EXPECT_EQ(spec.flow_shift, 12.0);
    EXPECT_EQ(spec.guidance_scale, 4.0);
    EXPECT_EQ(spec.frames, 81);
    EXPECT_EQ(spec.sigma_schedule, SigmaSchedule::diffusers);
    EXPECT_EQ(spec.size, "64x64") << "the user's own setting stays";
    EXPECT_TRUE(configuration_drift(spec).empty());
  }
}

TEST_F(RerunTest, AValueThatTheUserSetIsTakenBackToo) {
  write_sweep("flow_shift = 3\nsize = \"64x64\"\nframes = 9\n", "offload = [\"resident\"]");
  const Rerun made = rerun({"flow_shift=catalog"});
  EXPECT_EQ(made.plan.configurations.at(0).spec.flow_shift, 12.0);
  EXPECT_EQ(made.plan.configurations.at(0).spec.origins.at("flow_shift").origin, "catalog");
}

TEST_F(RerunTest, TheCatalogsValueUnderAWrongResolverIsRefused) {
  try {
    rerun({"flow_shift=catalog"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("add --set resolver=catalog"), std::string::npos) << error.what();
  }
}

TEST_F(RerunTest, TheNewSweepStandsAlone) {
  const Rerun made = rerun({"resolver=catalog"});
  write_rerun(made);
  const std::string directory = directory_ / "study-rerun1";
  const Plan plan = make_plan(read_sweep(directory + "/sweep.toml"));
  const SweepRecord record = read_sweep_record(directory);
  EXPECT_EQ(record.name, "study-rerun1");
  ASSERT_EQ(record.runs.size(), 4u);
  ASSERT_EQ(plan.configurations.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(plan.configurations[i].hash, record.runs[i].config);
}

TEST_F(RerunTest, TheNameOfTheCorrectedSweepOrOfAnotherCorrectionIsRefused) {
  RerunRequest request;
  request.directory = old_;
  request.changes = {parse_change("resolver=catalog")};
  request.name = "study";
  expect_error(ExitCode::bad_input, "--name study: is already the name of the corrected sweep",
               [&] { plan_rerun(request); });
  write_rerun(rerun({"resolver=catalog"}));
  request.directory = directory_ / "study-rerun1";
  request.changes = {parse_change("flow_shift=3")};
  expect_error(ExitCode::bad_input, "--name study: is already the name of", [&] { plan_rerun(request); });
  request.directory = old_;
  request.name = "study-rerun1";
  expect_error(ExitCode::bad_input, "--name study-rerun1: is already the name of", [&] { plan_rerun(request); });
}

TEST_F(RerunTest, TheSecondTimeThereIsNothingToReplace) {
  write_rerun(rerun({"resolver=catalog"}));
  const Rerun again = rerun({"resolver=catalog"});
  EXPECT_TRUE(again.configurations.empty());
  EXPECT_EQ(again.superseded, 4u);
  EXPECT_EQ(again.lineage.sweep, "study-rerun2");
}

TEST_F(RerunTest, OnlyTheChosenRunsAreReplaced) {
  const std::vector<ListedRun> runs = read_sweep_record(old_).runs;
  const std::string resident = runs[0].config;
  std::vector<std::string> chosen;
  for (const ListedRun& run : runs) {
    if (run.config == resident) chosen.push_back(run.run);
  }
  const Rerun made = rerun({"resolver=catalog"}, chosen);
  EXPECT_EQ(made.plan.configurations.size(), 1u);
  ASSERT_EQ(made.lineage.runs.size(), 2u);
  EXPECT_EQ(made.lineage.runs[1].before.run, chosen[1]);
  EXPECT_EQ(made.lineage.runs[1].after.repeat, 2);
}

TEST_F(RerunTest, RunsThatHaveTheSettingAlreadyStay) {
  write_sweep("size = \"64x64\"\nframes = 9\n", "flow_shift = [12.0, 3.0, 5.0]");
  const Rerun made = rerun({"flow_shift=12"});
  EXPECT_EQ(made.unchanged, 2u);
  EXPECT_EQ(made.plan.configurations.size(), 1u) << "3 and 5 become the same configuration";
  EXPECT_EQ(made.lineage.runs.size(), 4u);
}

TEST_F(RerunTest, ARerunCutOffBeforeTheOldSweepKnewIsCompleted) {
  write_rerun(rerun({"resolver=catalog"}));
  fs::remove_all(old_ + "/reruns");
  complete_cut_off_reruns(old_);
  EXPECT_EQ(rerun({"resolver=catalog"}).superseded, 4u);
}

TEST_F(RerunTest, ATakenDirectoryIsRefusedAndLeftAlone) {
  const Rerun made = rerun({"resolver=catalog"});
  fs::create_directory(directory_ / "study-rerun1");
  EXPECT_THROW(write_rerun(made), Error);
  EXPECT_TRUE(fs::is_empty(directory_ / "study-rerun1"));
  EXPECT_TRUE(read_lineage_of_old(old_).empty());
}

TEST_F(RerunTest, BothDirectoriesCanBeMovedTogether) {
  write_rerun(rerun({"resolver=catalog"}));
  fs::create_directory(directory_ / "moved");
  fs::rename(old_, directory_ / "moved/study");
  fs::rename(directory_ / "study-rerun1", directory_ / "moved/study-rerun1");
  EXPECT_EQ(with_reruns(directory_ / "moved/study"),
            (std::vector<std::string>{directory_ / "moved/study", directory_ / "moved/study-rerun1"}));
}

TEST_F(RerunTest, GatheringEitherDirectorySupersedesTheOldRuns) {
  write_rerun(rerun({"resolver=catalog"}));
  for (const std::string& from : {old_, directory_ / "study-rerun1"}) {
    Store store = open_store(from + "/results.db");
    std::vector<std::string> problems;
    for (int twice = 0; twice < 2; ++twice) gather_lineage(store, from, problems);
    EXPECT_TRUE(problems.empty());
    EXPECT_EQ(store.db.execAndGet("SELECT count(*) FROM runs").getInt(), 4);
    EXPECT_EQ(store.db.execAndGet("SELECT count(*) FROM runs_all WHERE superseded").getInt(), 4);
    EXPECT_EQ(store.db.execAndGet("SELECT DISTINCT new_sweep || reason || changes FROM lineage").getString(),
              "study-rerun1wrongresolver=catalog");
  }
}

TEST_F(RerunTest, ADamagedRecordIsNamed) {
  write_rerun(rerun({"resolver=catalog"}));
  write_text(old_ + "/reruns/study-rerun1.json", "{");
  Store store = open_store(old_ + "/results.db");
  std::vector<std::string> problems;
  gather_lineage(store, old_, problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("study-rerun1.json: is not JSON"), std::string::npos);
}

TEST_F(RerunTest, BadChangesAreNamed) {
  EXPECT_EQ(line_of("flow_shfit=12"), "--set: unknown setting flow_shfit; did you mean flow_shift?");
  EXPECT_EQ(line_of("flow_shfit=catalog"), "--set: unknown setting flow_shfit; did you mean flow_shift?");
  EXPECT_NE(line_of("flow_shift").find("give KEY=VALUE"), std::string::npos);
  EXPECT_NE(line_of("flow_shift=twelve").find("flow_shift is \"twelve\""), std::string::npos);
  EXPECT_NE(line_of("offload=floating").find("resident, swap, layerwise"), std::string::npos);
  EXPECT_NE(line_of("ranks=catalog").find("the catalog has no value for this setting"), std::string::npos);
}

}  // namespace
}  // namespace wansweep
