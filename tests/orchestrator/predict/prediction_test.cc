#include "orchestrator/predict/prediction.h"

#include <gtest/gtest.h>

#include <cmath>

#include "orchestrator/machines/machine_file.h"
#include "orchestrator/predict/block_work.h"
#include "orchestrator/predict/fit.h"
#include "orchestrator/predict/rank_rates.h"
#include "tests/orchestrator/predict/plain_machine.h"

namespace wansweep {
namespace {

// A run of Wan2.2 T2V A14B with 81 frames and 27 steps; its experts switch at step 19.
RunSettings study(OffloadMode offload, int ranks = 4, const char* size = "832x480") {
  RunSettings settings;
  settings.model_id = "t2v-a14b";
  settings.weights = "random:1";
  settings.backend = BackendKind::cuda;
  settings.size = size;
  settings.frames = 81;
  settings.steps = 27;
  settings.ranks = ranks;
  settings.offload = offload;
  settings.exchange_groups = 1;
  settings.text_cache = Choice::off;
  return settings;
}

Prediction predicted(const Machine& machine, const RunSettings& settings) {
  return predict(machine, make_run_plan(settings));
}

double total(const Prediction& prediction) { return prediction.of(Quantity::total).value; }

TEST(BlockWork, CountsTheOperationsOfAForwardAsThePaperDoes) {
  // On one rank with 75,600 tokens, a block takes 163.08 TFLOP, of which 117.05 are self-attention.
  const ProbeShape shape = probe_shape_of(make_run_plan(study(OffloadMode::layerwise, 1, "1280x720")));
  const BlockWork work = block_work(shape, false);
  EXPECT_NEAR(work.attention / 1e12, 117.051, 0.001);
  EXPECT_NEAR((work.before + work.attention + work.after) / 1e12, 163.082, 0.001);
  // Four ranks divide all of the work among them, except for the keys and values of the text.
  const ProbeShape of_four = probe_shape_of(make_run_plan(study(OffloadMode::layerwise, 4, "1280x720")));
  const BlockWork quarter = block_work(of_four, false);
  EXPECT_DOUBLE_EQ(quarter.attention, work.attention / 4);
  EXPECT_NEAR(quarter.before + quarter.after, (work.before + work.after) / 4, 5e10);
  // Kept keys and values of the text are not made again: two products of 512 x 5120 x 5120.
  EXPECT_DOUBLE_EQ(work.after - block_work(shape, true).after, 4.0 * 512 * 5120 * 5120);
}

TEST(Prediction, NumbersWithoutASpreadGiveTimesWithoutAnInterval) {
  const Prediction resident = predicted(plain(), study(OffloadMode::resident));
  ASSERT_EQ(resident.unknown, "");
  EXPECT_EQ(resident.of(Quantity::total).low, resident.of(Quantity::total).high);
  EXPECT_EQ(resident.of(Quantity::spike).value, 0);
  EXPECT_EQ(resident.of(Quantity::exposed_transfer).value, 0);
  // Computing: 27 steps of 3.357 PFLOP each on four ranks, less 27 self-attentions that the two forwards of a step
  // share. Exchanges: 4 x 62.9 MB in each block.
  const double computing = 27 * (3.357e15 - 28.85e12) / 4 / 500e12;
  const double exchanging = 27 * 79 * 4 * 62.9e6 / 100e9;
  EXPECT_NEAR(total(resident), computing + exchanging, 0.02 * total(resident));
}

TEST(Prediction, SwapPaysBothWaysAtTheSwitchAndSnapshotOne) {
  const Machine machine = plain();
  const double resident = total(predicted(machine, study(OffloadMode::resident)));
  const double expert = 28.577e9 / 40e9;
  const Prediction swap = predicted(machine, study(OffloadMode::swap));
  EXPECT_NEAR(swap.of(Quantity::spike).value, 2 * expert, 0.01);
  EXPECT_NEAR(total(swap) - resident, 2 * expert, 0.01);
  EXPECT_NEAR(predicted(machine, study(OffloadMode::snapshot)).of(Quantity::spike).value, expert, 0.01);
}

TEST(Prediction, RanksBeyondThoseMeasuredShareWhatTheyHadTogether) {
  Machine machine = plain();
  machine.gpus_per_node = 8;
  Draw draw;
  EXPECT_DOUBLE_EQ(rank_rates(machine, make_run_plan(study(OffloadMode::swap, 1)), draw).in, 50e9);
  EXPECT_DOUBLE_EQ(rank_rates(machine, make_run_plan(study(OffloadMode::swap, 2)), draw).in, 40e9);
  EXPECT_DOUBLE_EQ(rank_rates(machine, make_run_plan(study(OffloadMode::swap, 8)), draw).in, 20e9);
}

TEST(Prediction, WhatTheMachineLacksIsSaidAndNotGuessed) {
  Machine machine = plain();
  RunSettings pageable = study(OffloadMode::swap);
  pageable.host_memory = HostMemory::pageable;
  EXPECT_EQ(predicted(machine, pageable).unknown,
            "machine plain has no rate of copies to the device and pageable memory");
  EXPECT_EQ(predicted(machine, study(OffloadMode::resident, 8)).unknown,
            "machine plain has 4 GPUs a node, and no rates of exchanges between nodes: 8 ranks need more than one");
  RunSettings fp32 = study(OffloadMode::resident);
  fp32.precision = Precision::fp32;
  EXPECT_EQ(predicted(machine, fp32).unknown,
            "machine plain has neither a block of this shape nor a rate of matrix products in fp32");
  machine.links.exchanges.clear();
  EXPECT_EQ(predicted(machine, study(OffloadMode::resident)).unknown, "machine plain has no rate of exchanges");
}

TEST(Prediction, AnIntervalIsTheRootOfTheSquaresOfWhatEachNumberDoes) {
  Machine machine = plain();
  machine.compute.attention.front().tflops = {500, 400, 625, 5, "attention"};
  const Prediction one = predicted(machine, study(OffloadMode::resident));
  machine.links.exchanges.front().gb_per_second = {100, 50, 200, 5, "exchanges"};
  const Prediction both = predicted(machine, study(OffloadMode::resident));
  machine.compute.attention.front().tflops = exactly(500);
  const Prediction other = predicted(machine, study(OffloadMode::resident));
  const auto up = [](const Prediction& p) { return p.of(Quantity::total).high - p.of(Quantity::total).value; };
  const auto down = [](const Prediction& p) { return p.of(Quantity::total).value - p.of(Quantity::total).low; };
  EXPECT_GT(up(one), down(one)) << "a quarter more time is more than a fifth less";
  EXPECT_NEAR(up(both), std::hypot(up(one), up(other)), 1e-9);
  EXPECT_NEAR(down(both), std::hypot(down(one), down(other)), 1e-9);
  EXPECT_EQ(both.influences.size(), 2U);
}

TEST(Prediction, NothingButASpikeIsPredictedToTakeLessThanNoTime) {
  Machine machine = plain();
  // Either of these ends hides all copies; both deviations together would be more than what is exposed.
  for (CopyRate& copies : machine.links.copies) copies.gb_per_second = {10, 5, 1000, 5, "copies"};
  machine.compute.attention.front().tflops = {500, 50, 500, 5, "attention"};
  const Estimate exposed = predicted(machine, study(OffloadMode::layerwise)).of(Quantity::exposed_transfer);
  EXPECT_GT(exposed.value, 0);
  EXPECT_EQ(exposed.low, 0);
}

TEST(Prediction, ANumberThatTwoRunsDependOnAlikeDoesNotBlurTheirDifference) {
  Machine machine = plain();
  machine.compute.attention.front().tflops = {500, 400, 625, 5, "attention"};
  const Prediction resident = predicted(machine, study(OffloadMode::resident));
  const Prediction swap = predicted(machine, study(OffloadMode::swap));
  const Estimate cost = difference(swap, resident);
  EXPECT_NEAR(cost.value, 2 * 28.577e9 / 40e9, 0.01);
  EXPECT_NEAR(cost.low, cost.value, 1e-6);
  EXPECT_NEAR(cost.high, cost.value, 1e-6);
  EXPECT_GT(swap.of(Quantity::total).high - swap.of(Quantity::total).low, 5) << "though each of them is not sure";
}

TEST(Prediction, NumbersOfOneDoubtAreOffTogether) {
  Machine machine = plain();
  machine.compute.attention.front().tflops = {500, 450, 550, 5, "attention"};
  machine.compute.products.front().tflops = {500, 450, 550, 5, "products"};
  const auto width = [](const Prediction& p) { return p.of(Quantity::total).high - p.of(Quantity::total).low; };
  const Prediction apart = predicted(machine, study(OffloadMode::resident));
  machine.compute.attention.front().tflops.doubt = machine.compute.products.front().tflops.doubt = "the card";
  const Prediction together = predicted(machine, study(OffloadMode::resident));
  EXPECT_EQ(together.influences.size(), 1U);
  EXPECT_GT(width(together), 1.3 * width(apart));
  // When two runs depend on one number each and both numbers share a doubt, the difference of the runs is nearly sure.
  machine.compute.attention.front().tflops = exactly(500);
  machine.compute.products.front().tflops = exactly(500);
  machine.links.exchanges.front().gb_per_second = {100, 50, 200, 5, "exchanges", "bytes"};
  machine.links.exchanges.push_back(machine.links.exchanges.front());
  machine.links.exchanges.back().ranks = 2;
  const Estimate two_against_four = difference(predicted(machine, study(OffloadMode::resident, 2)),
                                               predicted(machine, study(OffloadMode::resident, 4)));
  machine.links.exchanges.back().gb_per_second.doubt = "other bytes";
  const Estimate independent = difference(predicted(machine, study(OffloadMode::resident, 2)),
                                          predicted(machine, study(OffloadMode::resident, 4)));
  EXPECT_LT(two_against_four.high - two_against_four.low, 0.5 * (independent.high - independent.low));
}

TEST(Prediction, TheDoubtOfThePlayIsInEveryInterval) {
  Machine machine = plain();
  machine.play_doubt = measured_play_doubt(BackendKind::cuda);
  const Prediction resident = predicted(machine, study(OffloadMode::resident));
  const Prediction swap = predicted(machine, study(OffloadMode::swap));
  const Estimate of = resident.of(Quantity::total);
  EXPECT_EQ(of.value, total(predicted(plain(), study(OffloadMode::resident))));
  EXPECT_NEAR((of.high - of.value) / of.value, std::hypot(0.04, 0.015), 1e-3);
  EXPECT_LT(swap.of(Quantity::first_load).low, swap.of(Quantity::first_load).high);
  // The doubt that all runs share cancels in a difference; the doubt that each way has by itself counts twice.
  const Estimate cost = difference(swap, resident);
  EXPECT_NEAR((cost.high - cost.value) / of.value, std::hypot(0.015, 0.015), 2e-3);
}

TEST(Prediction, OnlyComputingIsUnsureByTheSpeedOfAProcessorThatOthersUse) {
  Machine machine = plain();
  machine.play_doubt.computing = {1, 0.5, 1, 5, "a test"};
  const Prediction swap = predicted(machine, study(OffloadMode::swap));
  const Estimate all = swap.of(Quantity::total), spike = swap.of(Quantity::spike);
  EXPECT_EQ(spike.low, spike.high) << "at the switch only copies run";
  EXPECT_EQ(all.high, all.value);
  const double computing = total(predicted(plain(), study(OffloadMode::resident)));
  EXPECT_GT(all.value - all.low, 0.4 * computing);
  EXPECT_LT(all.value - all.low, 0.5 * computing) << "the exchanges take as long as before";
}

TEST(Prediction, RanksThatCopyAtOnceAreUnsureByWhatTheHostsMemoryGivesThem) {
  Machine machine = plain();
  machine.play_doubt.out_together = {1, 0.5, 1, 5, "a test"};
  const double expert = 28.577e9 / 40e9;
  const Estimate four = predicted(machine, study(OffloadMode::swap)).of(Quantity::spike);
  EXPECT_NEAR(four.value, 2 * expert, 0.01);
  EXPECT_EQ(four.low, four.value);
  EXPECT_NEAR(four.high - four.value, expert, 0.01) << "at half the rate the copies out take twice as long";
  machine.play_doubt.in_together = {1, 0.5, 1, 5, "a test"};
  const Estimate both = predicted(machine, study(OffloadMode::swap)).of(Quantity::spike);
  EXPECT_NEAR(both.high - both.value, std::hypot(expert, expert), 0.02) << "the two are independent";
  const Estimate alone = predicted(machine, study(OffloadMode::swap, 1)).of(Quantity::spike);
  EXPECT_EQ(alone.low, alone.high) << "one rank shares the host's memory with nobody";
}

TEST(Prediction, CopiesThatComputingHidesMayBeExposedOnARankThatWaitsForOthers) {
  Machine machine = plain();
  machine.play_doubt.waiting = {1, 1, 1.1, 5, "a test"};
  const Prediction layerwise = predicted(machine, study(OffloadMode::layerwise));
  const Estimate exposed = layerwise.of(Quantity::exposed_transfer);
  EXPECT_EQ(exposed.low, exposed.value);
  EXPECT_GT(exposed.high, exposed.value);
  EXPECT_LT(exposed.high, exposed.value + 0.1 * total(layerwise));
  EXPECT_EQ(layerwise.of(Quantity::total).low, layerwise.of(Quantity::total).high);
  EXPECT_EQ(predicted(machine, study(OffloadMode::resident)).of(Quantity::exposed_transfer).high, 0);
}

TEST(Prediction, HeadsAreExchangedInTheGroupsThatTheWarmUpWouldFindFastest) {
  Machine machine = plain();
  RunSettings settings = study(OffloadMode::layerwise);
  const double one_group = total(predicted(machine, settings));
  settings.exchange_groups = 4;
  const double four_groups = total(predicted(machine, settings));
  settings.exchange_groups = 0;
  EXPECT_LT(four_groups, one_group);
  EXPECT_EQ(total(predicted(machine, settings)), four_groups);
}

double seconds_beside_copies(const PlayRates& rates) {
  double seconds = 0;
  for (const PlayPiece& piece : rates.block) {
    const PlayExchange& e = piece.exchange;
    seconds += std::max(piece.seconds, e.bytes > 0 ? e.latency + e.bytes / e.rate_beside_copies : 0);
  }
  return seconds;
}

// Exchanges that attention hides while no copy runs delay the block when copies slow them down.
TEST(Prediction, WhatABlockTookBesideCopiesSaysHowMuchTheyDelayIt) {
  Machine machine = plain();
  RunSettings settings = study(OffloadMode::layerwise);
  settings.exchange_groups = 0;
  const RunPlan plan = make_run_plan(settings);
  machine.links.exchanges.push_back({4, Beside::copies, {}, exactly(50)});
  BlockTimes times;
  times.shape = probe_shape_of(plan);
  times.block = exactly(0.020);
  times.block_with_exchanges = exactly(0.021);
  times.block_with_exchanges_beside_copies = exactly(0.026);
  machine.shapes = {times};
  Draw draw;
  EXPECT_NEAR(seconds_beside_copies(rank_rates(machine, plan, draw)), 0.026, 1e-6);
  // The measured block may be faster beside copies, because a card that rests while it waits then computes faster. The
  // rates must not follow: copies never make exchanges faster.
  machine.shapes.front().block_with_exchanges_beside_copies = exactly(0.019);
  EXPECT_NEAR(seconds_beside_copies(rank_rates(machine, plan, draw)), 0.021, 1e-4);
}

TEST(Prediction, HeadsAreExchangedInTheGroupsThatTheWarmUpOfTheProbeChose) {
  Machine machine = plain();
  RunSettings settings = study(OffloadMode::resident);
  settings.exchange_groups = 0;
  const RunPlan plan = make_run_plan(settings);
  BlockTimes times;
  times.shape = probe_shape_of(plan);
  times.block = exactly(0.020);
  for (const int groups : {1, 2, 4}) {
    times.groups = groups;
    machine.shapes = {times};
    Draw draw;
    int64_t exchanging = 0;
    for (const PlayPiece& piece : rank_rates(machine, plan, draw).block) exchanging += piece.exchange.bytes > 0;
    // Each group's q, k and v go out, and its output comes back; what goes out beside attention shares that piece.
    EXPECT_EQ(exchanging, groups + 2 - (groups == 1 ? 1 : 0)) << groups;
  }
}

TEST(Prediction, ShapesWhoseBlocksComputeTheSameAreOne) {
  Machine machine = plain();
  RunSettings settings = study(OffloadMode::resident);
  const RunPlan branch = make_run_plan(settings);
  settings.guidance_order = GuidanceOrder::block;
  const RunPlan block = make_run_plan(settings);
  BlockTimes times;
  times.shape = probe_shape_of(branch);
  times.block = exactly(0.020);
  times.block_with_exchanges = exactly(0.021);
  times.block_rest = exactly(0.010);
  machine.shapes = {times};
  machine.shapes.push_back(times);
  machine.shapes.back().shape = probe_shape_of(block);
  machine.shapes.back().block_with_exchanges = exactly(0.023);
  for (const RunPlan* plan : {&branch, &block}) {
    EXPECT_NEAR(predict(machine, *plan).of(Quantity::median_step).value, 79 * 0.022 + 0.010, 1e-6);
  }
}

TEST(Prediction, AMeasuredShapeGoesBeforeTheRates) {
  Machine machine = plain();
  const RunPlan plan = make_run_plan(study(OffloadMode::resident));
  BlockTimes times;
  times.shape = probe_shape_of(plan);
  times.block = exactly(0.020);
  times.block_rest = exactly(0.010);
  times.step_beside_blocks = exactly(0.1);
  machine.shapes = {times};
  const double exchange = 4 * 62.9e6 / 100e9;
  EXPECT_NEAR(predict(machine, plan).of(Quantity::median_step).value, 79 * (0.020 + exchange) + 0.010 + 0.1, 1e-3);
  // The measured time of a block with its exchanges is used, whatever the block's parts add up to.
  machine.shapes.front().block_with_exchanges = exactly(0.025);
  EXPECT_NEAR(predict(machine, plan).of(Quantity::median_step).value, 79 * 0.025 + 0.010 + 0.1, 1e-6);
}

// Exchanges of one group of heads hide behind nothing. A block that takes less time than its computing and its
// exchanges do alone therefore computes faster.
TEST(Prediction, ABlockThatIsFasterThanItsPartsComputesFaster) {
  Machine machine = plain();
  const RunPlan plan = make_run_plan(study(OffloadMode::resident));
  BlockTimes times;
  times.shape = probe_shape_of(plan);
  times.block = exactly(0.020);
  times.block_rest = exactly(0.010);
  times.block_with_exchanges = exactly(0.021);
  times.step_beside_blocks = exactly(0.1);
  machine.shapes = {times};
  EXPECT_NEAR(predict(machine, plan).of(Quantity::median_step).value, 79 * 0.021 + 0.010 + 0.1, 1e-6);
  Draw draw;
  double computing = 0, bytes = 0;
  for (const PlayPiece& piece : rank_rates(machine, plan, draw).block) {
    computing += piece.seconds;
    bytes += piece.exchange.bytes;
    if (piece.exchange.bytes > 0) {
      EXPECT_DOUBLE_EQ(piece.exchange.rate, 100e9);
    }
  }
  EXPECT_NEAR(computing, 0.021 - bytes / 100e9, 1e-6);
}

TEST(Prediction, OnAnEmulatedLinkRanksTakeTurns) {
  Machine machine;
  machine.name = "emulated";
  machine.backend = BackendKind::cpu;
  machine.links.emulated = true;
  machine.links.exchanges = {{4, Beside::nothing, exactly(1e-4), exactly(5)}};
  RunSettings settings = study(OffloadMode::layerwise);
  settings.backend = BackendKind::cpu;
  settings.device_memory = 1000;
  settings.link_bandwidth = 2;
  BlockTimes times;
  times.shape = probe_shape_of(make_run_plan(settings));
  times.block = exactly(0.1);
  machine.shapes = {times};
  Draw draw;
  EXPECT_DOUBLE_EQ(rank_rates(machine, make_run_plan(settings), draw).in, 0.5e9);
  const PlayExchange scatter = rank_rates(machine, make_run_plan(settings), draw).block[1].exchange;
  EXPECT_DOUBLE_EQ(scatter.rate, 0.5e9);
  EXPECT_NEAR(scatter.rate_beside_copies, 0.25e9, 1e6) << "a copy and an exchange of each rank, by turns";
  EXPECT_DOUBLE_EQ(scatter.latency, 1e-4);
  settings.link = LinkSharing::per_rank;
  EXPECT_DOUBLE_EQ(rank_rates(machine, make_run_plan(settings), draw).in, 2e9);
}

// Compares predictions with single runs, minutes later, on the machine on which the machine files were probed
// (MEASURED.md, W). Each run is within 4 % of its prediction, and any two runs that differ by more than 4 % are
// predicted in the right order.
TEST(Prediction, FourH200FromAProbeOfThemAreWhatTheRunsThereWere) {
  struct Case {
    OffloadMode offload;
    double device_memory;  // GiB; 0: no limit
    GuidanceOrder order;
    Choice yields;
    double seconds;
  };
  const auto check = [](const Machine& machine, int steps, const std::vector<Case>& cases) {
    std::vector<double> predicted_totals;
    for (const Case& each : cases) {
      RunSettings settings = study(each.offload);
      settings.exchange_groups = 0;
      settings.steps = steps;
      settings.host_store = HostStoreKind::per_node;
      settings.device_memory = each.device_memory;
      settings.guidance_order = each.order;
      settings.yield_to_collectives = each.yields;
      const Prediction prediction = predicted(machine, settings);
      ASSERT_EQ(prediction.unknown, "");
      predicted_totals.push_back(total(prediction));
      EXPECT_NEAR(total(prediction), each.seconds, 0.04 * each.seconds)
          << name_of(each.offload) << " of " << each.device_memory << " GiB on " << machine.name;
    }
    constexpr double apart = 1.04;
    for (size_t i = 0; i < cases.size(); ++i) {
      for (size_t j = 0; j < cases.size(); ++j) {
        if (cases[i].seconds < apart * cases[j].seconds) continue;
        EXPECT_GT(predicted_totals[i], predicted_totals[j]) << i << " and " << j << " on " << machine.name;
      }
    }
  };
  using enum OffloadMode;
  using enum GuidanceOrder;
  check(read_machine("h200-nvlink").machine, 9,
        {{resident, 0, branch, Choice::off, 12.176},
         {planned, 5, block, Choice::off, 12.291},
         {planned, 16, block, Choice::off, 12.302},
         {planned, 30, branch, Choice::off, 12.184},
         {layerwise, 0, branch, Choice::off, 13.112},
         {swap, 0, branch, Choice::off, 13.824}});
  check(read_machine("h200-one-wire").machine, 7,
        {{resident, 0, branch, Choice::off, 10.212},
         {planned, 5, block, Choice::off, 12.129},
         {planned, 16, block, Choice::on, 10.416},
         {planned, 30, branch, Choice::off, 10.486},
         {layerwise, 0, branch, Choice::off, 14.706},
         {swap, 0, branch, Choice::off, 11.897}});
}

TEST(Prediction, SaysHowMuchMemoryIsMissing) {
  const Machine aces = read_machine("aces").machine;
  const Prediction resident = predicted(aces, study(OffloadMode::resident, 4, "1280x720"));
  EXPECT_EQ(what_does_not_fit(resident, limits_of(aces)), "");
  EXPECT_EQ(what_does_not_fit(resident, {40.0, std::nullopt}), "needs 15.8 GiB more device memory a rank");
  const Prediction swap = predicted(aces, study(OffloadMode::swap, 4, "1280x720"));
  EXPECT_EQ(what_does_not_fit(swap, {20.0, 200.0}),
            "needs 9.1 GiB more device memory a rank, and 18.6 GiB more host memory a node");
}

}  // namespace
}  // namespace wansweep
