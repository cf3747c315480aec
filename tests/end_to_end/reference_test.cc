// The worker's latents and noise predictions against those of diffusers, on any number of ranks and in every offload
// mode.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "schema/completion.h"
#include "schema/trace_file.h"
#include "tests/end_to_end/trajectory.h"
#include "tests/end_to_end/worker_run.h"

namespace wansweep::test {
namespace {

struct Plan {
  int ranks;
  std::vector<std::string> arguments;
};

// The plans that the planner chooses when the settings leave the plan open.
std::vector<Plan> default_plans() { return {{1, {}}, {2, {}}, {4, {}}, {6, {}}}; }

std::vector<Plan> all_plans() {
  return {{1, {}},
          {2, {}},
          {2, {"--ulysses", "1", "--ring", "2"}},
          {2, {"--cfg-parallel"}},
          {3, {}},
          {4, {}},
          {4, {"--ulysses", "2", "--ring", "2"}},
          {4, {"--cfg-parallel"}},
          {6, {}},
          {6, {"--ulysses", "1", "--ring", "6"}},
          {6, {"--cfg-parallel", "--ulysses", "1", "--ring", "3"}},
          {6, {"--ulysses", "6", "--ring", "1"}}};
}

const std::vector<std::vector<std::string>> sglangs_modes{{"resident"}, {"swap"}, {"layerwise"}};

// A block of the model takes 1.9 MB. The budgets leave room for two blocks, and for an expert and one block of the
// other.
const std::vector<std::vector<std::string>> other_ways{
    {"resident"},
    {"snapshot"},
    {"planned", "--device-budget", "0.004"},
    {"planned", "--device-budget", "0.006"},
    {"resident", "--guidance-order", "block"},
    {"layerwise", "--guidance-order", "block"},
    {"planned", "--device-budget", "0.004", "--guidance-order", "block"},
    {"planned", "--device-budget", "0.006", "--text-cache", "on"},
    {"layerwise", "--guidance-order", "block", "--text-cache", "on"}};

void expect_matches_reference(const std::string& trajectory, const std::vector<Plan>& plans,
                              const std::vector<std::vector<std::string>>& modes) {
  const SafetensorsFile reference(reference_file(trajectory));
  const auto steps = static_cast<size_t>(reference.find("timesteps").shape[0]);
  for (const Plan& plan : plans) {
    std::optional<std::string> digest;
    for (const std::vector<std::string>& offload : modes) {
      std::vector<std::string> arguments = reference_arguments(trajectory);
      arguments.insert(arguments.end(), plan.arguments.begin(), plan.arguments.end());
      arguments.emplace_back("--offload");
      arguments.insert(arguments.end(), offload.begin(), offload.end());
      const WorkerResult run = run_worker(plan.ranks, arguments, make_directory("reference"));
      std::string name = trajectory + " on " + std::to_string(plan.ranks) + " ranks";
      for (const std::vector<std::string>& words : {offload, plan.arguments}) {
        for (const std::string& word : words) name += " " + word;
      }
      ASSERT_EQ(run.exit_code, 0) << name << ": " << run.err;

      const SafetensorsFile result(run.out + "/result.safetensors");
      EXPECT_LE(worst_step_error(values_of(result, "latents_per_step"), values_of(reference, "latents"), steps), 1e-4)
          << name;
      EXPECT_LE(worst_step_error(values_of(result, "noise_pred_per_step"), values_of(reference, "noise_pred"), steps),
                1e-4)
          << name;
      const auto completion = read_completion(run.out);
      ASSERT_TRUE(completion.has_value()) << name;
      EXPECT_EQ(verify_completion(run.out, *completion), std::nullopt) << name;
      if (!digest) digest = completion->latents_digest;
      EXPECT_EQ(completion->latents_digest, *digest) << name << ": not the latents of the other offload modes";
      std::filesystem::remove_all(run.out);
    }
  }
}

TEST(Reference, Shift12IsMatchedByEveryPlanAndOffloadMode) {
  expect_matches_reference("shift12", all_plans(), sglangs_modes);
}
TEST(Reference, Shift3IsMatchedByEveryBudgetAndOrderOfTheGuidance) {
  expect_matches_reference("shift3",
                           {{1, {}},
                            {2, {"--cfg-parallel"}},
                            {2, {"--ulysses", "1", "--ring", "2"}},
                            {4, {}},
                            {6, {"--cfg-parallel", "--ulysses", "1", "--ring", "3"}}},
                           other_ways);
}
TEST(Reference, ALengthThatNoRankCountDividesIsMatchedByEveryPlan) {
  expect_matches_reference("odd-length", all_plans(), {{"layerwise"}});
}
TEST(Reference, Shift3IsMatchedOnEveryRankCount) { expect_matches_reference("shift3", default_plans(), {{"swap"}}); }
TEST(Reference, OneStepIsMatchedOnEveryRankCount) {
  expect_matches_reference("one-step", default_plans(), {{"resident"}});
}

// The number of heads is a multiple of the number of groups, or not, or equal to it; and the keys of each group go
// around a ring.
TEST(ExchangeGroups, AnyNumberOfThemGivesTheSameLatents) {
  const std::vector<std::pair<Plan, std::vector<int>>> cases{
      {{2, {"--ulysses", "2"}}, {0, 1, 2, 3, 4}},
      {{3, {"--ulysses", "3"}}, {1, 2}},
      {{4, {"--ulysses", "2", "--ring", "2"}}, {1, 3}},
      {{4, {"--cfg-parallel", "--ulysses", "2"}}, {1, 2}},
  };
  for (const auto& [plan, all_groups] : cases) {
    std::optional<std::string> digest;
    std::optional<int64_t> bytes;
    for (const int groups : all_groups) {
      std::vector<std::string> arguments = reference_arguments("one-step");
      arguments.insert(arguments.end(), plan.arguments.begin(), plan.arguments.end());
      arguments.insert(arguments.end(), {"--exchange-groups", std::to_string(groups)});
      const WorkerResult run = run_worker(plan.ranks, arguments, make_directory("groups"));
      const std::string name =
          plan.arguments.back() + " on " + std::to_string(plan.ranks) + " ranks, groups " + std::to_string(groups);
      ASSERT_EQ(run.exit_code, 0) << name << ": " << run.err;
      const auto completion = read_completion(run.out);
      ASSERT_TRUE(completion.has_value()) << name;
      if (!digest) digest = completion->latents_digest;
      EXPECT_EQ(completion->latents_digest, *digest) << name;
      const TraceFile trace = read_trace(run.out + "/" + trace_file_name(0));
      const nlohmann::json environment = nlohmann::json::parse(trace.environment_json);
      EXPECT_EQ(environment["exchange_groups"], std::max(1, groups)) << name << ": left open, the cpu backend takes 1";
      EXPECT_GT(environment["warm_up_s"], 0.0) << name;
      int64_t moved = 0, exchanges = 0;
      for (const EventRow& event : trace.rows.events) {
        if (event.kind != EventKind::all_to_all || event.block < 0) continue;
        moved += event.bytes;
        exchanges += event.forward == 0 && event.block == 0 ? 1 : 0;
      }
      EXPECT_EQ(exchanges, 2 * std::max(1, groups)) << name << ": heads for tokens and back, a group each";
      if (!bytes) bytes = moved;
      EXPECT_EQ(moved, *bytes) << name << ": the same bytes in any grouping";
      std::filesystem::remove_all(run.out);
    }
  }
}

TEST(Trace, TheSwitchAndTheBytesMovedAreThere) {
  const struct {
    const char* trajectory;
    int switch_step;
  } cases[] = {{"shift12", 19}, {"shift3", 10}};
  for (const auto& each : cases) {
    std::vector<std::string> arguments = reference_arguments(each.trajectory);
    arguments.insert(arguments.end(), {"--offload", "swap", "--link-bandwidth", "0.2"});
    const WorkerResult run = run_worker(2, arguments, make_directory("trace"));
    ASSERT_EQ(run.exit_code, 0) << run.err;
    for (int rank = 0; rank < 2; ++rank) {
      const TraceFile trace = read_trace(run.out + "/" + trace_file_name(rank));
      ASSERT_EQ(trace.rows.steps.size(), 27u);
      for (const StepRow& step : trace.rows.steps) EXPECT_EQ(step.expert, step.step < each.switch_step ? 1 : 2);
      int64_t in = 0, out = 0;
      bool stalled_at_switch = false;
      for (const EventRow& event : trace.rows.events) {
        if (event.kind == EventKind::h2d) in += event.bytes;
        if (event.kind == EventKind::d2h) out += event.bytes;
        if (event.kind == EventKind::d2h) {
          EXPECT_EQ(event.step, each.switch_step);
        }
        if (event.kind == EventKind::h2d) {
          EXPECT_TRUE(event.step == 0 || event.step == each.switch_step) << "the first load precedes the loop";
        }
        stalled_at_switch |=
            event.kind == EventKind::stall && event.cause == StallCause::weights && event.step == each.switch_step;
      }
      EXPECT_EQ(in, 2 * out) << "both experts come in, the first goes out";
      EXPECT_TRUE(stalled_at_switch);
      EXPECT_EQ(trace.rows.clock.size(), 2u);
      EXPECT_EQ(trace.rows.memory.size(), 27u);
      EXPECT_EQ(trace.digest.size(), 64u);
    }
    std::filesystem::remove_all(run.out);
  }
}

// The trace holds the plan (in its settings), the schedule, each copy and the peak of memory.
TEST(Trace, MemoryAndBytesAreExactlyAsPlanned) {
  for (const std::vector<std::string>& way : other_ways) {
    std::vector<std::string> arguments = reference_arguments("shift12");
    arguments.emplace_back("--offload");
    arguments.insert(arguments.end(), way.begin(), way.end());
    const WorkerResult run = run_worker(2, arguments, make_directory("planned"));
    ASSERT_EQ(run.exit_code, 0) << run.err;
    for (int rank = 0; rank < 2; ++rank) {
      const TraceFile trace = read_trace(run.out + "/" + trace_file_name(rank));
      const auto plan = nlohmann::json::parse(trace.spec_json).at("plan");
      const auto schedule = nlohmann::json::parse(trace.schedule_json);
      int64_t before_loop = 0, in_loop = 0, peak = 0;
      for (const EventRow& event : trace.rows.events) {
        if (event.kind != EventKind::h2d && event.kind != EventKind::d2h) continue;
        (event.step == 0 ? before_loop : in_loop) += event.bytes;
      }
      for (const MemoryRow& row : trace.rows.memory) peak = std::max(peak, row.device_peak);
      EXPECT_EQ(before_loop, plan.at("first_load_bytes")) << way.back();
      EXPECT_EQ(in_loop, plan.at("moved_in_loop_bytes")) << way.back();
      EXPECT_EQ(peak,
                plan.at("device_weights_bytes").get<int64_t>() + plan.at("device_activations_bytes").get<int64_t>())
          << way.back();
      EXPECT_EQ(schedule.at("slots"), plan.at("block_slots"));
    }
    std::filesystem::remove_all(run.out);
  }
}

TEST(Trace, AKilledWorkerLeavesEveryFlushedStep) {
  std::vector<std::string> arguments = reference_arguments("shift12");
  arguments.insert(arguments.end(), {"--offload", "layerwise", "--link-bandwidth", "0.02"});
  const WorkerResult run = run_worker(2, arguments, make_directory("killed"), 3.0);
  EXPECT_NE(run.exit_code, 0);
  EXPECT_EQ(read_completion(run.out), std::nullopt);
  for (int rank = 0; rank < 2; ++rank) {
    const TraceFile trace = read_trace(run.out + "/" + trace_file_name(rank));
    EXPECT_GT(trace.rows.steps.size(), 0u);
    EXPECT_LT(trace.rows.steps.size(), 27u);
    EXPECT_TRUE(trace.digest.empty());
    for (size_t i = 0; i < trace.rows.steps.size(); ++i) EXPECT_EQ(trace.rows.steps[i].step, static_cast<int>(i) + 1);
  }
  std::filesystem::remove_all(run.out);
}

}  // namespace
}  // namespace wansweep::test
