#include "orchestrator/predict/schedule_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace wansweep {
namespace {

PlannedConfiguration study(double budget_gib, GuidanceOrder order) {
  RunSettings settings;
  settings.model_id = "t2v-a14b";
  settings.weights = "random:1";
  settings.backend = BackendKind::cuda;
  settings.size = "832x480";
  settings.frames = 81;
  settings.steps = 9;
  settings.offload = OffloadMode::planned;
  settings.device_budget.gib = budget_gib;
  settings.guidance_order = order;
  PlannedConfiguration configuration;
  configuration.run = make_run_plan(settings);
  configuration.spec = configuration.run->settings;
  configuration.name = "r1-planned";
  return configuration;
}

std::string line_of(const std::string& text, const std::string& beginning) {
  const size_t begin = text.find("\n" + beginning) + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST(ScheduleText, ShowsWhatMovesAndWhichBlocksEachPassFindsOrWaitsFor) {
  const std::string text = schedule_as_text(study(13.2, GuidanceOrder::branch), std::nullopt);
  EXPECT_EQ(line_of(text, "slots"), "slots       20 of 670 MiB; beside them 2 of 496 MiB for weights outside blocks");
  EXPECT_NE(text.find("first load  14.1 GiB, before step 1\n"), std::string::npos) << text;
  EXPECT_EQ(line_of(text, "depth"),
            "depth       every copy in the loop may start 2 uses ahead of the one that needs it, or more");
  const std::string first = line_of(text, "   1");
  // The first 20 blocks were loaded before the loop.
  EXPECT_NE(first.find("====================<"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '<') - 1, 2 * 9 * 40 - std::count(text.begin(), text.end(), '=') + 1);
}

TEST(ScheduleText, WithRatesPredictsTheWaitOfEachStep) {
  const PlannedConfiguration one_expert = study(26.2, GuidanceOrder::branch);
  EXPECT_NE(
      schedule_as_text(one_expert, ScheduleRates{5.5, 50e9}).find("predicted   49.500 s, 0.000 s of them waiting"),
      std::string::npos);
  const std::string slow = schedule_as_text(one_expert, ScheduleRates{1.0, 20e9});
  EXPECT_NE(slow.find("predicted wait s"), std::string::npos);
  EXPECT_EQ(slow.find(", 0.000 s of them waiting"), std::string::npos) << slow;
}

TEST(ScheduleText, AsJsonHoldsTheUsesTheScheduleAndTheBytesOfEachStep) {
  const PlannedConfiguration c = study(13.2, GuidanceOrder::block);
  const auto json = nlohmann::json::parse(schedule_as_json(c));
  EXPECT_EQ(json.at("uses").size(), 9U * 40);
  EXPECT_EQ(json.at("uses").at(0), nlohmann::json::parse("[1, 1, -1, 0]"));
  EXPECT_EQ(json.at("schedule").at("slots"), 20);
  EXPECT_EQ(json.at("moved_by_step").size(), 10U);
  EXPECT_EQ(json.at("moved_by_step").at(0), c.run->moved.before_loop);
}

}  // namespace
}  // namespace wansweep
