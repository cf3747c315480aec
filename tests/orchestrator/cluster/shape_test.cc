#include "orchestrator/cluster/shape.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

PlannedConfiguration planned(OffloadMode offload, int64_t ranks = 4, HostStoreKind store = HostStoreKind::per_rank) {
  RunSettings settings;
  settings.model_id = "t2v-a14b";
  settings.weights = "random:1";
  settings.backend = BackendKind::cuda;
  settings.size = "832x480";
  settings.frames = 81;
  settings.steps = 27;
  settings.ranks = ranks;
  settings.ulysses = ranks;
  settings.offload = offload;
  settings.host_store = store;
  settings.device_memory = 80;  // what the automatic budget of `planned` goes by
  PlannedConfiguration configuration;
  configuration.run = make_run_plan(settings);
  configuration.spec = configuration.run->settings;
  configuration.name = "r4";
  return configuration;
}

ClusterProfile cluster(int64_t gpus_per_node = 4) {
  ClusterProfile profile;
  profile.name = "big";
  profile.file = "big.toml";
  profile.gres = "gpu:h100";
  profile.gpus_per_node = gpus_per_node;
  profile.cores_per_node = 96;
  profile.memory_per_node = 2'000'000;
  profile.max_nodes = 8;
  profile.time_limit = 100'000;
  profile.teraflops_per_rank = 400;
  profile.host_memory_per_rank = 8192;
  return profile;
}

TEST(Shape, TheMemoryAskedForCoversThePlansOnEachNodeInEveryMode) {
  for (const OffloadMode offload : values_of<OffloadMode>()) {
    for (const int64_t gpus_per_node : {1, 2, 4}) {
      const PlannedConfiguration c = planned(offload);
      const ResourceShape shape = shape_of(c, cluster(gpus_per_node), {});
      const int64_t on_a_node = shape.ranks / shape.nodes;
      EXPECT_EQ(on_a_node, gpus_per_node);
      EXPECT_GE(shape.memory_per_node * 1'048'576, on_a_node * (c.run->memory.host_total() + int64_t{8192} * 1'048'576))
          << name_of(offload);
    }
  }
}

TEST(Shape, TheTimeOfTwoExpertsIsThatOfOneForward) {
  // Compute takes 61.3 s, both experts take 6 s over the link, and the start takes 60 s. Half of that is added, and the
  // notice of 120 s.
  EXPECT_EQ(shape_of(planned(OffloadMode::resident), cluster(), {}).seconds, 600);
}

TEST(Shape, AMachinesPredictionGoesBeforeTheProfilesRate) {
  // The run takes 1000 s at most, and its start 60 s. A quarter of that is added, and the notice of 120 s: 1445 s.
  EXPECT_EQ(shape_of(planned(OffloadMode::resident), cluster(), {}, 1000.0).seconds, 1500);
  expect_error(ExitCode::bad_input, "time_limit", [&] { shape_of(planned(OffloadMode::swap), cluster(), {}, 1e6); });
}

TEST(Shape, APredictionThatIsNoTimeIsRefusedAndNeverBecomesZero) {
  ClusterProfile slow = cluster();
  slow.teraflops_per_rank = 1e-300;
  expect_error(ExitCode::bad_input, "predicted", [&] { shape_of(planned(OffloadMode::swap), slow, {}); });
  slow.teraflops_per_rank = 5e-324;
  expect_error(ExitCode::bad_input, "which is not possible", [&] { shape_of(planned(OffloadMode::swap), slow, {}); });
  PlannedConfiguration idle = planned(OffloadMode::swap);
  idle.spec.link_bandwidth = 1e-300;
  expect_error(ExitCode::bad_input, "time_limit is 1-03:46:40", [&] { shape_of(idle, cluster(), {}); });
  expect_error(ExitCode::bad_input, "time_limit", [&] { shape_of(planned(OffloadMode::swap), cluster(), 100'001); });
}

TEST(Shape, MoreMemoryThanANodeHasIsRefusedWithBothNumbers) {
  ClusterProfile small = cluster();
  small.memory_per_node = 100'000;
  expect_error(ExitCode::bad_input, "memory_per_node is 100000",
               [&] { shape_of(planned(OffloadMode::swap), small, {}); });
}

TEST(Shape, OnAnotherClusterMemoryFollowsTheRanksOfANode) {
  const PlannedConfiguration c = planned(OffloadMode::swap);
  ResourceShape before = shape_of(c, cluster(4), {});
  before.memory_per_node = 800'000;  // granted before, to four ranks: 200,000 each
  before.seconds = 7200;
  const ResourceShape spread = shape_on_other_cluster(c, before, cluster(4), cluster(2));
  EXPECT_EQ(spread.nodes, 2);
  EXPECT_EQ(spread.gpus_per_node, 2);
  EXPECT_EQ(spread.memory_per_node, 400'384);  // rounded up to a GiB
  EXPECT_EQ(spread.seconds, 7200);
  const ResourceShape together = shape_on_other_cluster(c, spread, cluster(2), cluster(4));
  EXPECT_EQ(together.nodes, 1);
  EXPECT_GE(together.memory_per_node, 800'000);
  ClusterProfile roomier = cluster(4);
  roomier.host_memory_per_rank += 1000;
  EXPECT_GE(shape_on_other_cluster(c, before, cluster(4), roomier).memory_per_node, 804'000);
}

// A copy of the experts takes 53.3 GiB; a quarter is added, and 8 GiB for each rank.
TEST(Shape, ASharedStoreIsAskedForOnceANode) {
  const PlannedConfiguration shared = planned(OffloadMode::layerwise, 4, HostStoreKind::per_node);
  const PlannedConfiguration own = planned(OffloadMode::layerwise);
  EXPECT_EQ(own.host_bytes_per_node(), 4 * shared.host_bytes_per_node());
  for (const int64_t gpus_per_node : {1, 2, 4}) {
    const int64_t asked = shape_of(shared, cluster(gpus_per_node), {}).memory_per_node;
    EXPECT_GE(asked * 1'048'576, shared.run->memory.host_shared);
    EXPECT_LE(asked, 70 * 1024 + gpus_per_node * 9216) << gpus_per_node;
  }
}

TEST(Shape, OnAnotherClusterASharedStoreDoesNotShrinkWithTheRanksOfANode) {
  const PlannedConfiguration c = planned(OffloadMode::layerwise, 4, HostStoreKind::per_node);
  const ResourceShape together = shape_of(c, cluster(4), {});
  const ResourceShape spread = shape_on_other_cluster(c, together, cluster(4), cluster(1));
  EXPECT_EQ(spread.nodes, 4);
  EXPECT_GE(spread.memory_per_node * 1'048'576, c.run->memory.host_of_node(1));
  EXPECT_LE(spread.memory_per_node, together.memory_per_node);
}

}  // namespace
}  // namespace wansweep
