#include "orchestrator/plan/idle_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <string>

#include "orchestrator/plan/plan.h"

namespace wansweep {
namespace {

constexpr const char* two_experts =
    "model_id = \"t2v-a14b\"\nweights = \"random:1\"\nsize = \"832x480\"\nframes = 81\ndevice_memory = 200\n";
constexpr const char* one_expert =
    "model_id = \"ti2v-5b\"\nweights = \"random:1\"\nsize = \"832x480\"\nframes = 81\ndevice_memory = 200\n";

Plan plan_of(const std::string& text) {
  Plan plan = make_plan(parse_sweep("[sweep]\nname = \"s\"\n" + text, "s.toml"));
  EXPECT_EQ(plan.problems(), 0u) << plan_as_table(plan);
  return plan;
}

// The warnings of the one run with these settings.
std::string warnings(const std::string& settings, const std::string& model = two_experts) {
  const Plan plan = plan_of("[base]\n" + model + "[[include]]\n" + settings);
  return fmt::format("{}", fmt::join(plan.configurations.at(0).warnings, "\n"));
}

TEST(IdleSettings, ASettingOfAnotherOffloadModeIsNamedWithItsReason) {
  EXPECT_EQ(warnings("offload = \"swap\"\ndevice_budget = 3\n"),
            "device_budget 3.0 has no effect here: offload is swap, and only planned has block slots to size");
  EXPECT_EQ(warnings("offload = \"planned\"\ndevice_budget = 3\n"), "");
  EXPECT_EQ(warnings("offload = \"planned\"\ndevice_budget = 3\nprefetch = 2\n"),
            "prefetch 2.0 has no effect here: offload is planned, and only layerwise fetches blocks ahead by it");
  EXPECT_EQ(warnings("offload = \"layerwise\"\nprefetch = 2\n"), "");
}

TEST(IdleSettings, ResidentWeightsAreNeitherCutNorSharedNorDoTheyYield) {
  for (const char* setting :
       {"chunk_bytes = 4194304", "host_store = \"shared\"", "yield_to_collectives = \"on\"", "cooperative = \"on\""}) {
    const std::string settings = std::string(setting) + "\nranks = 2\noffload = ";
    EXPECT_NE(warnings(settings + "\"resident\"\n").find("no weights are copied while the loop runs"),
              std::string::npos)
        << setting;
    EXPECT_EQ(warnings(settings + "\"layerwise\"\n"), "");
  }
}

TEST(IdleSettings, CopiesOfOneRankHaveNothingToYieldTo) {
  const std::string settings = "offload = \"layerwise\"\nyield_to_collectives = \"on\"\n";
  EXPECT_NE(warnings(settings).find("no tokens are exchanged"), std::string::npos);
  EXPECT_NE(warnings(settings + "ranks = 2\ncfg_parallel = true\n").find("no tokens are exchanged"), std::string::npos);
  EXPECT_NE(warnings("offload = \"layerwise\"\ncooperative = \"auto\"\n").find("there is one rank"), std::string::npos);
}

TEST(IdleSettings, TheLinkOfTheCpuBackendIsNoneOfCuda) {
  EXPECT_NE(warnings("backend = \"cuda\"\nlink_bandwidth = 1\n").find("link_bandwidth 1.0 has no effect here"),
            std::string::npos);
  EXPECT_EQ(warnings("link_bandwidth = 1\n"), "");
  EXPECT_NE(warnings("share_device = true\n").find("share_device true has no effect here"), std::string::npos);
}

TEST(IdleSettings, TheSecondExpertsSettingsNeedASecondExpert) {
  const std::string both = warnings("boundary_ratio = 0.5\nguidance_scale_2 = 3\n", one_expert);
  EXPECT_NE(both.find("boundary_ratio 0.5 has no effect here: the model has one expert"), std::string::npos) << both;
  EXPECT_NE(both.find("guidance_scale_2 3.0 has no effect here"), std::string::npos) << both;
  EXPECT_NE(warnings("guidance_scale = 1\nguidance_scale_2 = 3\n").find("guidance_scale 1 turns guidance off"),
            std::string::npos);
}

TEST(IdleSettings, ASettingInBaseIsWarnedOfOnlyWhenItServesNoConfiguration) {
  const std::string base = std::string("[base]\n") + two_experts + "device_budget = 3\n";
  const Plan some = plan_of(base + "[matrix]\noffload = [\"swap\", \"planned\"]\n");
  EXPECT_TRUE(some.configurations[0].warnings.empty());
  const Plan none = plan_of(base + "[matrix]\noffload = [\"swap\", \"layerwise\"]\n");
  EXPECT_EQ(none.configurations[0].warnings.size(), 1u);
  EXPECT_EQ(none.configurations[1].warnings.size(), 1u);
}

TEST(IdleSettings, AnAxisWhoseRunsOnlyRepeatEachOtherIsWarnedOf) {
  const Plan plan = plan_of(std::string("[base]\n") + two_experts +
                            "[matrix]\noffload = [\"swap\", \"planned\"]\ndevice_budget = [3, 5]\n");
  EXPECT_EQ(plan.configurations[0].warnings.size(), 1u);
  EXPECT_EQ(plan.configurations[1].warnings.size(), 1u);
  EXPECT_TRUE(plan.configurations[2].warnings.empty());
}

}  // namespace
}  // namespace wansweep
