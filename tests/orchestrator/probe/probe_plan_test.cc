#include "orchestrator/probe/probe_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "schema/probe/request.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

Plan plan_of(const std::string& matrix) {
  return make_plan(parse_sweep(
      fmt::format("[sweep]\nname = \"s\"\n[base]\nmodel = \"{}/tests/reference/tiny-wan2.2-t2v\"\nweights = "
                  "\"random:1\"\nsize = \"64x64\"\nframes = 5\nsteps = 4\n[matrix]\n{}\n",
                  WANSWEEP_SOURCE_DIR, matrix),
      "jobs.toml"));
}

ProbeRequest request_of(const PlannedConfiguration& probe) {
  return probe_request_from_json(nlohmann::json::parse(probe.probe), "spec.json");
}

TEST(PlanProbe, MeasuresAShapeOnceWhateverItsOffload) {
  const Plan probes = plan_probe(
      plan_of("offload = [\"resident\", \"swap\", \"layerwise\"]\nflow_shift = [3, 12]\nranks = [2]"), {}, 60);
  ASSERT_EQ(probes.configurations.size(), 1u);
  EXPECT_EQ(probes.configurations[0].name, "probe-r2-cpu");
  EXPECT_EQ(probes.configurations[0].spec.offload, OffloadMode::resident);  // takes the least of the host's memory
  EXPECT_EQ(request_of(probes.configurations[0]).shapes.size(), 1u);
  EXPECT_EQ(request_of(probes.configurations[0]).seconds, 60);
}

TEST(PlanProbe, StartsTheWorkerOnceForEachNumberOfRanksAndSharesTheTimeByShapes) {
  const Plan probes = plan_probe(
      plan_of(
          "ranks = [1, 2]\nguidance_order = [\"branch\", \"block\"]\nlink_bandwidth = [1, 2]\noffload = [\"swap\"]"),
      {}, 40);
  ASSERT_EQ(probes.configurations.size(), 2u);
  for (const PlannedConfiguration& probe : probes.configurations) {
    EXPECT_EQ(request_of(probe).shapes.size(), 2u) << probe.name;
    EXPECT_EQ(request_of(probe).seconds, 20) << probe.name;
  }
  EXPECT_EQ(probes.configurations[1].name, "probe-r2-cpu");
}

TEST(PlanProbe, MeasuresOverTheFastestLinkOfTheRuns) {
  const Plan probes = plan_probe(
      plan_of("ranks = [1, 2]\nlink_bandwidth = [0.2, 1]\nlink = [\"per-rank\", \"shared\"]\noffload = [\"swap\"]"), {},
      40);
  ASSERT_EQ(probes.configurations.size(), 2u);
  for (const PlannedConfiguration& probe : probes.configurations) {
    EXPECT_EQ(probe.spec.link_bandwidth, 1) << probe.name;
    for (const RunSettings& shape : request_of(probe).shapes) EXPECT_EQ(shape.link_bandwidth, 1) << probe.name;
  }
  EXPECT_EQ(probes.configurations[0].spec.link, probes.configurations[1].spec.link);
}

TEST(PlanProbe, TakesOnlyTheRanksThatAreAskedFor) {
  const Plan jobs = plan_of("ranks = [1, 2]");
  ASSERT_EQ(plan_probe(jobs, {2}, 10).configurations.size(), 1u);
  EXPECT_EQ(plan_probe(jobs, {2}, 10).configurations[0].spec.ranks, 2);
  expect_error(ExitCode::bad_input, "--ranks is 3; the runs of jobs.toml have 1, 2 ranks",
               [&] { plan_probe(jobs, {3}, 10); });
}

TEST(PlanProbe, RefusesASweepOfOtherEnginesAlone) {
  expect_error(ExitCode::bad_input, "has no run of engine wansweep",
               [] { plan_probe(plan_of("engine = [\"diffusers\"]\nbackend = [\"cuda\"]"), {}, 10); });
}

}  // namespace
}  // namespace wansweep
