#include "orchestrator/plan/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

// Only a release build tells how fast planning is: debug builds and sanitizers take up to thirty times as long.
#ifdef NDEBUG
constexpr double allowed_seconds = 1;
#else
constexpr double allowed_seconds = 600;
#endif

// The sweeps in jobs/ name their files from the repository's root.
class PlanTest : public testing::Test {
 protected:
  PlanTest() : before_(std::filesystem::current_path()) { std::filesystem::current_path(WANSWEEP_SOURCE_DIR); }
  ~PlanTest() override { std::filesystem::current_path(before_); }

  static Plan plan(const std::string& text) {
    return make_plan(parse_sweep("[sweep]\nname = \"s\"\n" + text, "s.toml"));
  }

  // Expects that the one configuration of a sweep on the tiny model cannot run, for a reason that contains `part`.
  static void expect_problem(const std::string& settings, const std::string& part) {
    SCOPED_TRACE(settings);
    const Plan planned = plan("[base]\nmodel = \"tests/reference/tiny-wan2.2-t2v\"\n" + settings);
    ASSERT_EQ(planned.problems(), 1u);
    const std::string& problem = planned.configurations[0].problem;
    EXPECT_NE(problem.find(part), std::string::npos) << problem;
    expect_error(ExitCode::bad_input, part, [&] { refuse_problems(planned); });
    EXPECT_NE(plan_as_table(planned).find("problem  "), std::string::npos);
  }

 private:
  std::filesystem::path before_;
};

TEST_F(PlanTest, TheStudyIsTwelveConfigurationsThreeTimes) {
  const Plan planned = make_plan(read_sweep("jobs/aces-offload.toml"));
  EXPECT_EQ(planned.configurations.size(), 12u);
  EXPECT_EQ(planned.runs(), 36u);
  EXPECT_EQ(planned.problems(), 0u) << plan_as_table(planned);
  for (const PlannedConfiguration& c : planned.configurations) {
    const bool misresolved = c.spec.resolver == ResolverKind::sglang_2025_12;
    EXPECT_EQ(c.spec.flow_shift, misresolved ? 3.0 : 12.0);
    EXPECT_EQ(c.run->switch_step, misresolved ? 10 : 19);
    EXPECT_EQ(c.run->tokens, (misresolved ? 24 : 21) * 45 * 80);  // SGLang rounds 81 frames up to 93 for the ranks
    EXPECT_GT(c.run->memory.device_weights, 0);
    EXPECT_EQ(c.host_bytes_per_node(), c.run->memory.host_total() * c.spec.ranks);
  }
}

TEST_F(PlanTest, TheDemoIsTwelveConfigurationsThreeTimes) {
  const Plan planned = make_plan(read_sweep("jobs/demo.toml"));
  EXPECT_EQ(planned.configurations.size(), 12u);
  EXPECT_EQ(planned.runs(), 36u);
  EXPECT_EQ(planned.problems(), 0u) << plan_as_table(planned);
  std::set<std::string> names;
  for (const PlannedConfiguration& c : planned.configurations) {
    EXPECT_EQ(c.run->tokens, 3 * 4 * 8);
    EXPECT_EQ(c.run->switch_step, c.spec.flow_shift == 12.0 ? 19 : 10);
    EXPECT_EQ(c.drift.empty(), c.spec.flow_shift == 12.0);
    for (int repeat = 1; repeat <= planned.repeats; ++repeat) names.insert(run_name(c, repeat));
  }
  EXPECT_EQ(names.size(), 36u);
}

TEST_F(PlanTest, TheTableShowsPlansAndTheJsonHoldsSpecs) {
  const Plan planned = make_plan(read_sweep("jobs/demo.toml"));
  const std::string table = plan_as_table(planned);
  EXPECT_NE(table.find("ulysses 2 x ring 3"), std::string::npos) << table;
  EXPECT_NE(table.find("12 configurations, 36 runs"), std::string::npos) << table;
  const auto json = nlohmann::json::parse(plan_as_json(planned));
  EXPECT_EQ(json.at("runs"), 36);
  EXPECT_EQ(json.at("configurations").at(0).at("spec").at("steps"), 27);
  EXPECT_EQ(json.at("configurations").at(0).at("switch_step"), 19);
}

TEST_F(PlanTest, TheTableShowsWhatEachModeMovesAndHowManyBlocksItHolds) {
  const Plan planned = plan(
      "[base]\nmodel = \"tests/reference/tiny-wan2.2-t2v\"\n"
      "inputs = \"tests/reference/trajectory-shift12.safetensors\"\nsteps = 27\n"
      "[matrix]\nguidance_order = [\"branch\", \"block\"]\n[[include]]\noffload = \"planned\"\ndevice_budget = "
      "0.0045\n");
  ASSERT_EQ(planned.problems(), 0u) << plan_as_table(planned);
  const std::string table = plan_as_table(planned);
  EXPECT_NE(table.find("resident, block order"), std::string::npos) << table;
  EXPECT_NE(table.find("moved/largest step"), std::string::npos) << table;
  const auto json = nlohmann::json::parse(plan_as_json(planned));
  const auto& of_planned = json.at("configurations").at(2);
  EXPECT_EQ(of_planned.at("block_slots"), 2);
  EXPECT_EQ(of_planned.at("moved_in_loop_bytes"), 2 * of_planned.at("block_bytes").get<int64_t>());
  EXPECT_EQ(json.at("configurations").at(0).at("moved_in_loop_bytes"), 0);
}

TEST_F(PlanTest, AnOrderOfTheGuidanceThatMakesNoDifferenceIsWarnedOf) {
  const std::string sweep =
      "[base]\nmodel = \"tests/reference/tiny-wan2.2-t2v\"\nguidance_order = \"block\"\n"
      "inputs = \"tests/reference/trajectory-shift12.safetensors\"\n";
  EXPECT_TRUE(plan(sweep + "[matrix]\nranks = [2]\n").configurations[0].warnings.empty());
  for (const char* settings : {"cfg_parallel = true\n", "guidance_scale = 1\n"}) {
    const Plan planned = plan(sweep + settings + "[matrix]\nranks = [2]\n");
    EXPECT_EQ(planned.problems(), 0u) << plan_as_table(planned);
    EXPECT_NE(plan_as_table(planned).find("guidance_order block has no effect here: each rank runs only one forward"),
              std::string::npos);
  }
}

TEST_F(PlanTest, WhatCannotWorkIsNamed) {
  const std::string inputs = "inputs = \"tests/reference/trajectory-shift12.safetensors\"\n";
  expect_problem(inputs + "ulysses = 4\nring = 2\n[matrix]\nranks = [6]\n", "ulysses");
  expect_problem(inputs + "cfg_parallel = true\n[matrix]\nranks = [3]\n", "3");
  expect_problem("[matrix]\nsize = [\"833x481\"]\n", "size");
  expect_problem("inputs = \"none.safetensors\"\n[matrix]\nranks = [4]\n", "none.safetensors: cannot be read");
  expect_problem(inputs + "device_memory = 0.0001\n[matrix]\nranks = [4]\n", "device_memory is 0.0001 GiB");
}

TEST_F(PlanTest, WeightsThatCannotBeLoadedAreAProblemOfEveryConfigurationThatNeedsThem) {
  const TemporaryDirectory directory;
  const std::string model = directory / "wan";
  std::filesystem::copy("tests/reference/tiny-wan2.2-t2v", model, std::filesystem::copy_options::recursive);
  std::filesystem::remove(model + "/transformer/diffusion_pytorch_model-00002-of-00002.safetensors");
  const Plan planned = plan("[base]\nmodel = \"" + model +
                            "\"\nsize = \"64x64\"\nframes = 5\ndevice_memory = 0.5\n"
                            "[matrix]\nweights = [\"files\", \"random:1\"]\nseed = [1, 2]\n");
  ASSERT_EQ(planned.configurations.size(), 4u);
  EXPECT_EQ(planned.problems(), 2u) << plan_as_table(planned);
  for (const PlannedConfiguration& c : planned.configurations) {
    const bool refused = c.problem.find("00002-of-00002.safetensors, which does not exist") != std::string::npos;
    EXPECT_EQ(refused, c.spec.weights == "files") << c.problem;
  }
}

TEST_F(PlanTest, AProblemNamesTheLineOfItsSetting) {
  const std::string inputs = "inputs = \"tests/reference/trajectory-shift12.safetensors\"\n";
  expect_problem(inputs + "cfg_parallel = true\n[matrix]\nranks = [4]\nguidance_scale = [1]\n",
                 "s.toml:6: base: cfg_parallel needs guidance");
  expect_problem("frames = 81\n[matrix]\nsize = [\"833x481\"]\n", "s.toml:7: matrix: size is 833x481");
  expect_problem("frames = 80\nsize = \"832x480\"\n[[include]]\nranks = 4\n", "s.toml:5: base: frames is 80");
  expect_problem("size = \"832x480\"\n[[include]]\nranks = 4\nframes = 80\n", "s.toml:8: include: frames is 80");
}

TEST_F(PlanTest, AModelThatIsNotThereIsSaidOnceWithTheLineThatNamesIt) {
  const Plan planned = plan("[base]\nmodel = \"no/model\"\n[matrix]\noffload = [\"swap\", \"layerwise\"]\n");
  ASSERT_EQ(planned.problems(), 2u);
  const std::string text = problems_as_text(planned);
  EXPECT_NE(text.find(planned.configurations[0].name + " and 1 more: s.toml:4: base: "), std::string::npos) << text;
  EXPECT_NE(text.find("/no/model: no such model directory; link your checkpoint there"), std::string::npos) << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST_F(PlanTest, SizesBesideInputsAreRefusedSinceTheInputsDecideThem) {
  const std::string inputs = "inputs = \"tests/reference/trajectory-shift12.safetensors\"\n";
  expect_problem(inputs + "[matrix]\nsize = [\"832x480\"]\n",
                 "size and inputs are both set, and the file of inputs decides the size of the latents");
}

TEST_F(PlanTest, InputsThatSglangWouldRoundAreWarnedOf) {
  const Plan planned = plan(
      "[base]\nmodel = \"tests/reference/tiny-wan2.2-t2v\"\nmodel_id = \"t2v-a14b\"\nresolver = "
      "\"sglang-2025-12\"\ninputs = \"tests/reference/trajectory-shift12.safetensors\"\n"
      "[matrix]\nranks = [3, 4]\n");
  EXPECT_EQ(planned.problems(), 0u) << plan_as_table(planned);
  EXPECT_TRUE(planned.configurations[0].warnings.empty());  // 3 latent frames
  ASSERT_EQ(planned.configurations[1].warnings.size(), 1u);
  EXPECT_NE(plan_as_table(planned).find(
                "inputs has 3 latent frames, which are used unchanged; sglang-2025-12 would round them up "
                "to 4 on 4 ranks"),
            std::string::npos);
}

TEST_F(PlanTest, BrokenInputsFilesAreNamed) {
  const TemporaryDirectory directory;
  const auto expect = [&](const std::string& content, const std::string& part) {
    const std::string file = write_text(directory / "inputs.safetensors", content);
    expect_problem("inputs = \"" + file + "\"\n[matrix]\nranks = [4]\n", part);
  };
  const auto with_header = [](const std::string& header) {
    return std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header;
  };
  expect("abc", "has 3 bytes; a safetensors file has at least 10");
  expect(std::string(8, '\x7f'),
         "is not a safetensors file: its first 8 bytes should be the length of its header, at most 100000000, and are "
         "9187201950435737471");
  expect(with_header("not json"), "the header is not JSON");
  expect(with_header("{}"), "tensor initial_latents is missing");
  expect(with_header(R"({"initial_latents":{"dtype":"F32","shape":[1,0],"data_offsets":[0,0]}})"),
         "tensor initial_latents has the shape [1, 0]; 5 dimensions are needed");
}

TEST_F(PlanTest, TheSameConfigurationTwiceIsNamed) {
  const Plan planned = plan(
      "[base]\nmodel = \"tests/reference/tiny-wan2.2-t2v\"\n"
      "inputs = \"tests/reference/trajectory-shift12.safetensors\"\n[matrix]\nranks = [4]\n[[include]]\nranks = 4\n");
  expect_error(ExitCode::bad_input, "this configuration is the same", [&] { refuse_problems(planned); });
}

TEST_F(PlanTest, TenThousandRunsPlanInUnderASecond) {
  std::string text =
      "[base]\nmodel = \"tests/reference/tiny-wan2.2-t2v\"\ninputs = "
      "\"tests/reference/trajectory-shift12.safetensors\"\n[matrix]\nranks = [4, 6]\nflow_shift = [12, 3]\nseed = [";
  for (int seed = 0; seed < 2500; ++seed) text += fmt::format("{},", seed);
  const std::clock_t start = std::clock();  // processor time, which other work on the machine does not change
  const Plan planned = plan(text + "]\n");
  const std::string table = plan_as_table(planned);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(planned.runs(), 10'000u);
  EXPECT_EQ(planned.problems(), 0u);
  EXPECT_LT(seconds, allowed_seconds);
  std::set<std::string> names;
  for (const PlannedConfiguration& c : planned.configurations) names.insert(c.name);
  EXPECT_EQ(names.size(), planned.configurations.size());
}

}  // namespace
}  // namespace wansweep
