#include "orchestrator/engines/concluded_switch.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

// Six steps of 1 s, of which `step` takes `seconds`.
TraceRows rows_with(int step, int64_t seconds) {
  TraceRows rows;
  for (int i = 1; i <= 6; ++i) {
    StepRow row;
    row.step = i;
    row.end_ns = (i == step ? seconds : 1) * 1'000'000'000;
    row.expert = i < 3 ? 1 : 2;
    rows.steps.push_back(row);
  }
  return rows;
}

// SGLang 0.5.9 took a flow_shift of 3, with which the experts switch at step 3 of 6.
RunSettings concluded() {
  RunSettings settings;
  settings.engine = EngineKind::sglang;
  settings.offload = OffloadMode::swap;
  settings.steps = 6;
  settings.flow_shift = 3;
  settings.boundary_ratio = 0.875;
  settings.sigma_schedule = SigmaSchedule::sglang;
  settings.origins["flow_shift"] = {"sglang-0.5.9", "12", ""};
  return settings;
}

std::optional<std::string> doubt(RunSettings settings, TraceRows rows) {
  return doubt_concluded_switch(settings, {&rows});
}

TEST(ConcludedSwitch, ALongStepElsewhereMakesItUnknown) {
  RunSettings settings = concluded();
  TraceRows rows = rows_with(5, 6);
  EXPECT_EQ(doubt_concluded_switch(settings, {&rows}),
            "step 5 took 6.0 s, but flow_shift 3, which wansweep concluded, puts the switch at step 3; flow_shift 12 "
            "would put it at step 5; tell it with --set flow_shift=12; until then the switch step and what it cost are "
            "unknown");
  EXPECT_FALSE(settings.flow_shift);
  EXPECT_EQ(settings.origins.at("flow_shift").origin, unknown_origin);
  EXPECT_TRUE(settings.origins.at("flow_shift").catalog.empty());
  for (const StepRow& row : rows.steps) EXPECT_EQ(row.expert, 0);
}

TEST(ConcludedSwitch, AStepThatNoOfficialFlowShiftExplainsAsksForANumber) {
  EXPECT_NE(doubt(concluded(), rows_with(6, 6))->find("tell what the run had with --set flow_shift=NUMBER"),
            std::string::npos);
}

TEST(ConcludedSwitch, StepsThatAgreeOrTellNothingChangeNothing) {
  EXPECT_FALSE(doubt(concluded(), rows_with(3, 6)));
  EXPECT_FALSE(doubt(concluded(), rows_with(1, 6))) << "the first step starts the engine";
  EXPECT_FALSE(doubt(concluded(), rows_with(5, 2)));
  RunSettings told = concluded();
  told.origins["flow_shift"].origin = "user";
  EXPECT_FALSE(doubt(told, rows_with(5, 6)));
  RunSettings layerwise = concluded();
  layerwise.offload = OffloadMode::layerwise;
  EXPECT_FALSE(doubt(layerwise, rows_with(5, 6)));
}

}  // namespace
}  // namespace wansweep
