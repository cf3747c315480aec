#include "schema/memory_estimate.h"

#include <gtest/gtest.h>

#include "schema/model_catalog.h"

namespace wansweep {
namespace {

TEST(MemoryEstimate, A14BHasThePublishedNumberOfParameters) {
  const ModelConfig& config = catalog_entry("t2v-a14b").config;
  EXPECT_EQ(block_parameters(config), 351'394'304);
  EXPECT_EQ(other_parameters(config), 232'719'424);
  EXPECT_EQ(block_parameters(config) * config.layers + other_parameters(config), 14'288'491'584);
}

TEST(MemoryEstimate, PrefetchCountsAsSglangDoes) {
  EXPECT_EQ(prefetch_blocks(0, 40), 1);
  EXPECT_EQ(prefetch_blocks(0.1, 40), 5);
  EXPECT_EQ(prefetch_blocks(1, 40), 1);
  EXPECT_EQ(prefetch_blocks(2.9, 40), 2);
  EXPECT_EQ(prefetch_blocks(500, 40), 39);
  EXPECT_EQ(prefetch_blocks(2, 2), 1);
}

TEST(MemoryEstimate, LayerwiseHoldsTwoBlocksAndTheIdleExpertsFirst) {
  EXPECT_EQ(layerwise_slots(40, 1, 1), 2);
  EXPECT_EQ(layerwise_slots(40, 1, 2), 3);
  EXPECT_EQ(layerwise_slots(40, 2, 2), 6);
}

TEST(MemoryEstimate, OffloadModesTradeDeviceForHostMemory) {
  MemoryRequest request;
  request.config = catalog_entry("t2v-a14b").config;
  request.bytes_per_value = 2;
  const ParallelPlan plan = make_parallel_plan({1, false, {}, {}, 40, 32760});
  request.offload = OffloadMode::resident;
  const MemoryEstimate resident = estimate_memory(request, plan);
  request.offload = OffloadMode::swap;
  const MemoryEstimate swap = estimate_memory(request, plan);
  request.offload = OffloadMode::layerwise;
  const MemoryEstimate layerwise = estimate_memory(request, plan);
  EXPECT_EQ(resident.device_weights, 2 * int64_t{28'576'983'168});
  EXPECT_EQ(swap.device_weights, 28'576'983'168);
  EXPECT_EQ(layerwise.device_weights, int64_t{3} * 702'788'608 + 2 * 465'438'848);
  EXPECT_EQ(resident.host_weights, 0);
  EXPECT_EQ(swap.host_weights, 2 * int64_t{28'576'983'168});
  EXPECT_EQ(layerwise.host_weights, int64_t{2} * 28'111'544'320);
  EXPECT_EQ(resident.device_activations, layerwise.device_activations);
}

TEST(MemoryEstimate, ShardingLeavesEachRankItsShareOfTheActivations) {
  MemoryRequest request;
  request.config = catalog_entry("t2v-a14b").config;
  request.bytes_per_value = 2;
  request.offload = OffloadMode::resident;
  const int64_t one = activation_bytes(request, make_parallel_plan({1, false, {}, {}, 40, 32760})).hidden;
  const int64_t four = activation_bytes(request, make_parallel_plan({4, false, {}, {}, 40, 32760})).hidden;
  EXPECT_EQ(one, 4 * four);
}

}  // namespace
}  // namespace wansweep
