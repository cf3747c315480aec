#include "schema/run_plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

RunSettings study() {
  RunSettings settings;
  settings.model_id = "t2v-a14b";
  settings.weights = "random:1";
  settings.size = "832x480";
  settings.frames = 81;
  settings.steps = 27;
  settings.ranks = 4;
  settings.backend = BackendKind::cuda;
  return settings;
}

TEST(RunPlan, TheStudysRunFollowsFromItsSettings) {
  const RunPlan plan = make_run_plan(study());
  EXPECT_EQ(plan.settings.flow_shift, 12.0);
  EXPECT_EQ(plan.type, DType::bf16);
  EXPECT_EQ(plan.input.latents, (LatentShape{16, 21, 60, 104}));
  EXPECT_EQ(plan.input.text_tokens, 512);
  EXPECT_EQ(plan.tokens, 32760);
  EXPECT_EQ(plan.parallel.ulysses, 4);
  EXPECT_EQ(plan.switch_step, 19);
  EXPECT_TRUE(plan.guided);
  EXPECT_EQ(plan.experts(), 2);
}

TEST(RunPlan, PrecisionFollowsTheBackendUnlessItIsSet) {
  RunSettings settings = study();
  settings.precision = Precision::fp32;
  EXPECT_EQ(make_run_plan(settings).type, DType::f32);
  settings.backend = BackendKind::cpu;
  settings.device_memory = 1024;
  settings.precision = Precision::automatic;
  EXPECT_EQ(make_run_plan(settings).type, DType::f32);
  settings.precision = Precision::bf16;
  expect_error(ExitCode::bad_input, "precision is bf16; backend cpu computes in fp32 only",
               [&] { make_run_plan(settings); });
}

TEST(RunPlan, EachExchangeGroupHasAHeadOfEveryRank) {
  RunSettings settings = study();
  settings.exchange_groups = 10;
  EXPECT_EQ(make_run_plan(settings).settings.exchange_groups, 10);
  settings.exchange_groups = 11;
  expect_error(ExitCode::bad_input,
               "exchange_groups is 11; at most 10 is possible: with ulysses 4 x ring 1, a rank has 10 heads",
               [&] { make_run_plan(settings); });
  settings.ranks = 3;
  settings.ulysses = 3;
  settings.exchange_groups = 14;  // 40 heads become groups of 14, 13 and 13
  expect_error(ExitCode::bad_input, "a rank has 13 heads", [&] { make_run_plan(settings); });
  settings.ranks = 2;
  settings.ulysses = 1;
  settings.exchange_groups = 2;
  expect_error(ExitCode::bad_input, "exchange_groups is 2; with ulysses 1 no heads are exchanged",
               [&] { make_run_plan(settings); });
  settings.exchange_groups = 1;
  EXPECT_EQ(make_run_plan(settings).parallel.ring, 2);
}

TEST(RunPlan, CopiesYieldWhereTheyDisturbExchangesAndCanWait) {
  EXPECT_TRUE(copies_yield(1.5, 0.6, 1.4));
  EXPECT_FALSE(copies_yield(1.1, 0.6, 1.4)) << "exchanges are hardly slower";
  EXPECT_FALSE(copies_yield(1.5, 1.3, 1.4)) << "the copies need the wire nearly all the time";
}

// A14B's cache takes 1.17 GiB for two forwards.
TEST(RunPlan, TextIsKeptWhereItTakesLittleOfTheMemory) {
  RunSettings settings = study();
  settings.backend = BackendKind::cuda;
  const auto keeps = [&] { return make_run_plan(settings).activations.keeps_text; };
  EXPECT_TRUE(keeps()) << "no limit";
  settings.device_memory = 80;
  EXPECT_TRUE(keeps());
  settings.offload = OffloadMode::planned;
  settings.device_memory = 16;
  EXPECT_FALSE(keeps()) << "blocks need the memory";
  settings.text_cache = Choice::on;
  EXPECT_TRUE(keeps());
  settings.text_cache = Choice::off;
  settings.device_memory = 80;
  EXPECT_FALSE(keeps());
  settings.text_cache = Choice::automatic;
  settings.backend = BackendKind::cpu;
  settings.precision = Precision::automatic;
  settings.device_memory = 1024;
  EXPECT_FALSE(keeps()) << "the cpu backend, if it is not told to";
}

TEST(RunPlan, AModelThatTakesAnImageIsRefusedBeforeAnythingRuns) {
  RunSettings settings = study();
  settings.model_id = "i2v-a14b";
  expect_error(ExitCode::bad_input, "model has 36 input and 16 output channels", [&] { make_run_plan(settings); });
}

TEST(RunPlan, MoreDeviceMemoryThanAllowedIsRefusedWithBothNumbers) {
  RunSettings settings = study();
  settings.device_memory = 40;
  expect_error(ExitCode::device_memory, "device_memory is 40 GiB; offload resident needs",
               [&] { make_run_plan(settings); });
  settings.offload = OffloadMode::layerwise;
  EXPECT_LT(make_run_plan(settings).memory.device_total(), *device_memory_limit(settings));
}

TEST(RunPlan, OneExpertHasNoSwitchAndOneForwardAStepWithoutGuidance) {
  RunSettings settings = study();
  settings.model_id = "wan2.1-t2v-14b";
  settings.guidance_scale = 1;
  const RunPlan plan = make_run_plan(settings);
  EXPECT_EQ(plan.switch_step, std::nullopt);
  EXPECT_EQ(plan.experts(), 1);
  EXPECT_FALSE(plan.guided);
}

// A block of A14B in bf16 takes 0.6545 GiB.
RunSettings planned_study(std::optional<double> budget_gib) {
  RunSettings settings = study();
  settings.offload = OffloadMode::planned;
  settings.device_budget.gib = budget_gib;
  return settings;
}

TEST(RunPlan, ABudgetIsForWholeBlocksAlone) {
  const RunPlan plan = make_run_plan(planned_study(13.2));
  EXPECT_EQ(plan.block_slots, 20);
  EXPECT_EQ(plan.memory.device_weights, 20 * plan.weights.block + 2 * plan.weights.other);
  EXPECT_EQ(make_run_plan(planned_study(1000)).block_slots, 80) << "all there are";
}

TEST(RunPlan, TheAutomaticBudgetIsWhatDeviceMemoryLeaves) {
  RunSettings settings = planned_study({});
  settings.device_memory = 30;
  const RunPlan plan = make_run_plan(settings);
  const int64_t limit = *device_memory_limit(settings);
  EXPECT_LE(plan.memory.device_total(), limit);
  EXPECT_GT(plan.memory.device_total() + plan.weights.block, limit);
  settings.device_memory = 80;
  EXPECT_EQ(make_run_plan(settings).block_slots, 80);
  settings.device_memory = 1;
  expect_error(ExitCode::device_memory, "device_memory is 1 GiB; offload planned needs",
               [&] { make_run_plan(settings); });
}

TEST(RunPlan, AnImpossibleBudgetIsRefusedWithWhatIsNeeded) {
  expect_error(ExitCode::bad_input,
               "device_budget is auto, which needs device_memory, and device_memory is not set; set device_memory",
               [&] { make_run_plan(planned_study({})); });
  expect_error(ExitCode::bad_input, "device_budget is 1.2 GiB; a block takes 0.655 GiB, and at least two must fit",
               [&] { make_run_plan(planned_study(1.2)); });
}

TEST(RunPlan, TheBudgetDoesNotCountWhereTheModeHasNone) {
  RunSettings settings = study();
  settings.device_budget.gib = 0.1;
  EXPECT_EQ(make_run_plan(settings).block_slots, 80);
}

TEST(RunPlan, EveryRankHasTheSameScheduleWhereTheyShareTheGuidance) {
  RunSettings settings = planned_study(5);
  settings.cfg_parallel = true;
  const RunPlan plan = make_run_plan(settings);
  const Schedule schedule = schedule_of(plan);
  for (const int rank : {0, 3}) check(schedule, list_uses(loop_shape(plan, rank)));
  EXPECT_EQ(schedule.slot_of_use.size(), 27U * 40);
}

TEST(RunPlan, ADifferenceBetweenWhatWasPlannedAndWhatIsMadeIsNamed) {
  const nlohmann::json planned = plan_to_json(make_run_plan(study()));
  EXPECT_EQ(plan_difference(planned, planned), "");
  RunSettings settings = study();
  settings.flow_shift = 3;
  EXPECT_EQ(plan_difference(planned, plan_to_json(make_run_plan(settings))),
            "switch_step was planned as 19, and is now 10");
  EXPECT_NE(plan_difference(nlohmann::json::object(), planned), "");
}

TEST(RunPlan, AnOlderPlanWithoutTheMovedBytesEqualsTodays) {
  const nlohmann::json made = plan_to_json(make_run_plan(study()));
  nlohmann::json of_before = made;
  for (const char* name : {"block_slots", "block_bytes", "first_load_bytes", "moved_in_loop_bytes",
                           "moved_in_median_step_bytes", "moved_in_largest_step_bytes"}) {
    of_before.erase(name);
  }
  EXPECT_EQ(plan_difference(of_before, made), "");
  nlohmann::json changed = made;
  changed["block_slots"] = 3;
  EXPECT_EQ(plan_difference(changed, made), "block_slots was planned as 3, and is now 80");
}

}  // namespace
}  // namespace wansweep
