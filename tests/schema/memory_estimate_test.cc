#include "schema/memory_estimate.h"

#include <gtest/gtest.h>

#include "schema/model_catalog.h"

namespace wansweep {
namespace {

const ModelConfig& a14b() { return catalog_entry("t2v-a14b").config; }

// A block of A14B in bf16, counted by hand: 351,394,304 parameters, of which the modulation table (6 x 5120) and norm2
// (2 x 5120) are kept in f32. All sizes are multiples of 256 bytes, so that nothing is lost between tensors.
constexpr int64_t block_in_bf16 = int64_t{351'394'304} * 2 + 2 * (6 + 2) * 5120;
// Outside blocks: 232,719,424 parameters, of which the time embedder's two layers (256 -> 5120 -> 5120) and the last
// modulation table (2 x 5120) are kept in f32; behind proj_out's bias of 64 values there are 128 bytes of air.
constexpr int64_t time_embedder = 256 * 5120 + 5120 + int64_t{5120} * 5120 + 5120;
constexpr int64_t other_in_bf16 = int64_t{232'719'424} * 2 + 2 * (time_embedder + 2 * 5120) + 128;

MemoryEstimate estimate(OffloadMode mode, double prefetch = 0, HostStoreKind store = HostStoreKind::per_rank) {
  LoopShape loop;
  loop.steps = 27;
  loop.switch_step = 19;
  loop.experts = 2;
  loop.layers = a14b().layers;
  loop.forwards = {forward_cond, forward_uncond};
  const std::vector<Use> uses = list_uses(loop);
  const Schedule schedule = make_schedule(mode, loop, uses, {.prefetch = prefetch_blocks(prefetch, a14b().layers)});
  ActivationRequest request;
  request.config = a14b();
  request.type = DType::bf16;
  const ParallelPlan plan = make_parallel_plan({1, false, {}, {}, 40, 32760});
  return estimate_memory(weight_bytes(a14b(), DType::bf16, 2), schedule, activation_bytes(request, plan), store);
}

TEST(MemoryEstimate, A14BHasThePublishedNumberOfParameters) {
  EXPECT_EQ(block_parameters(a14b()), 351'394'304);
  EXPECT_EQ(other_parameters(a14b()), 232'719'424);
  EXPECT_EQ(block_parameters(a14b()) * a14b().layers + other_parameters(a14b()), 14'288'491'584);
}

TEST(MemoryEstimate, A14BsWeightsInBf16CountWhatStaysInF32) {
  const WeightBytes bytes = weight_bytes(a14b(), DType::bf16, 2);
  EXPECT_EQ(bytes.block, block_in_bf16);
  EXPECT_EQ(bytes.other, other_in_bf16);
  // By how much an estimate of two bytes for each parameter is too small, for one expert.
  EXPECT_EQ(bytes.expert() - int64_t{14'288'491'584} * 2, 58'368'128);
}

TEST(MemoryEstimate, OffloadModesTradeDeviceForHostMemory) {
  const int64_t expert = 40 * block_in_bf16 + other_in_bf16;
  const MemoryEstimate resident = estimate(OffloadMode::resident);
  EXPECT_EQ(resident.device_weights, 2 * expert);
  EXPECT_EQ(resident.host_weights, 0);
  EXPECT_EQ(resident.host_ring, 2 * block_in_bf16) << "they pass through two buffers on their way in";
  const MemoryEstimate swap = estimate(OffloadMode::swap);
  EXPECT_EQ(swap.device_weights, expert);
  EXPECT_EQ(swap.host_weights, 2 * expert);
  EXPECT_EQ(swap.host_ring, 2 * block_in_bf16) << "they leave through two buffers";
  const MemoryEstimate layerwise = estimate(OffloadMode::layerwise);
  EXPECT_EQ(layerwise.device_weights, 3 * block_in_bf16 + 2 * other_in_bf16);
  EXPECT_EQ(layerwise.host_weights, 2 * expert);
  EXPECT_EQ(layerwise.host_ring, 0);
  EXPECT_EQ(estimate(OffloadMode::layerwise, 2).device_weights, 6 * block_in_bf16 + 2 * other_in_bf16);
  EXPECT_EQ(resident.device_activations, layerwise.device_activations);
}

TEST(MemoryEstimate, ASharedStoreIsOneCopyForAllRanksOfANode) {
  const int64_t both_experts = 2 * (40 * block_in_bf16 + other_in_bf16);
  const MemoryEstimate own = estimate(OffloadMode::swap);
  const MemoryEstimate shared = estimate(OffloadMode::swap, 0, HostStoreKind::per_node);
  EXPECT_EQ(shared.host_shared, both_experts);
  EXPECT_EQ(shared.host_weights, 0);
  EXPECT_EQ(shared.host_ring, own.host_ring) << "copies out go to buffers of the rank's own";
  EXPECT_EQ(shared.device_total(), own.device_total());
  for (const int64_t ranks : {1, 4, 6}) {
    EXPECT_EQ(own.host_of_node(ranks) - shared.host_of_node(ranks), (ranks - 1) * both_experts) << ranks;
  }
  EXPECT_EQ(estimate(OffloadMode::resident, 0, HostStoreKind::per_node).host_shared, 0) << "the loop reads none";
}

TEST(MemoryEstimate, SnapshotTakesWhatSwapTakesWithoutTheBuffersToCopyOut) {
  const MemoryEstimate swap = estimate(OffloadMode::swap), snapshot = estimate(OffloadMode::snapshot);
  EXPECT_EQ(snapshot.device_weights, swap.device_weights);
  EXPECT_EQ(snapshot.host_weights, swap.host_weights);
  EXPECT_EQ(snapshot.host_ring, 0);
}

TEST(MemoryEstimate, BlockOrderAddsTheSecondPromptAndNoSecondHiddenState) {
  ActivationRequest request;
  request.config = a14b();
  request.type = DType::bf16;
  const ParallelPlan plan = make_parallel_plan({1, false, {}, {}, 40, 32760});
  const int64_t branch = activation_bytes(request, plan).total();
  request.order = GuidanceOrder::block;
  EXPECT_EQ(activation_bytes(request, plan).total() - branch, int64_t{512} * 5120 * 2);
  request.both_forwards = false;
  const int64_t one_by_block = activation_bytes(request, plan).total();
  request.order = GuidanceOrder::branch;
  EXPECT_EQ(activation_bytes(request, plan).total(), one_by_block);
}

// k and v of 512 tokens, beside the product that holds v: 3 x 5120 values a token, in 40 blocks.
TEST(MemoryEstimate, KeptTextTakesItsKeysAndValuesInEachBlockAndForward) {
  ActivationRequest request;
  request.config = a14b();
  request.type = DType::bf16;
  const ParallelPlan plan = make_parallel_plan({1, false, {}, {}, 40, 32760});
  const auto total = [&](bool keeps) {
    request.keeps_text = keeps;
    return activation_bytes(request, plan).total();
  };
  constexpr int64_t of_forward = int64_t{40} * 512 * 3 * 5120 * 2;
  EXPECT_EQ(total(true) - total(false), 2 * of_forward);
  request.both_forwards = false;
  EXPECT_EQ(total(true) - total(false), of_forward);
}

TEST(MovedBytes, AreTheSchedulesCopiesByStep) {
  LoopShape loop;
  loop.steps = 4;
  loop.switch_step = 3;
  loop.experts = 2;
  loop.layers = 6;
  loop.forwards = {forward_cond, forward_uncond};
  const std::vector<Use> uses = list_uses(loop);
  const WeightBytes weights{100, 7, 6, 2};
  const auto by_step = [&](OffloadMode mode) {
    return moved_by_step(weights, make_schedule(mode, loop, uses, {}), uses);
  };
  EXPECT_EQ(by_step(OffloadMode::resident), (std::vector<int64_t>{1214, 0, 0, 0, 0}));
  EXPECT_EQ(by_step(OffloadMode::swap), (std::vector<int64_t>{607, 0, 0, 1214, 0}));
  EXPECT_EQ(by_step(OffloadMode::snapshot), (std::vector<int64_t>{607, 0, 0, 607, 0}));
  EXPECT_EQ(by_step(OffloadMode::layerwise), (std::vector<int64_t>{214, 1200, 1200, 1200, 1200}));
  const MovedBytes moved = moved_bytes(weights, make_schedule(OffloadMode::swap, loop, uses, {}), uses);
  EXPECT_EQ(moved.before_loop, 607);
  EXPECT_EQ(moved.in_loop, 1214);
  EXPECT_EQ(moved.median_step, 0);
  EXPECT_EQ(moved.most_in_step, 1214);
  EXPECT_EQ(moved.total(), 1821);
}

TEST(MemoryEstimate, ShardingLeavesEachRankItsShareOfTheActivations) {
  ActivationRequest request;
  request.config = a14b();
  const auto hidden_on = [&](int ranks) {
    return activation_bytes(request, make_parallel_plan({ranks, false, {}, {}, 40, 32760})).hidden;
  };
  EXPECT_EQ(hidden_on(1), int64_t{32760} * 5120 * 4);
  EXPECT_EQ(hidden_on(1), 4 * hidden_on(4));
}

TEST(MemoryEstimate, ARankThatMakesOneForwardKeepsNoSharedPrefix) {
  ActivationRequest request;
  request.config = a14b();
  const ParallelPlan plan = make_parallel_plan({1, false, {}, {}, 40, 32760});
  const int64_t both = activation_bytes(request, plan).total();
  request.both_forwards = false;
  EXPECT_EQ(both - activation_bytes(request, plan).total(), int64_t{32760} * 5120 * 4);
}

}  // namespace
}  // namespace wansweep
