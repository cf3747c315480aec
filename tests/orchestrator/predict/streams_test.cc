// Tests what the played rank does besides the schedule's copies: exchanges, copies that yield, parts that ranks bring
// for each other, and what a step takes outside its blocks.
#include <gtest/gtest.h>

#include "orchestrator/predict/played_schedule.h"

namespace wansweep {
namespace {

constexpr WeightBytes weights{100, 0, 4, 1};

LoopShape loop(int steps = 2) {
  LoopShape shape;
  shape.steps = steps;
  shape.layers = 4;
  return shape;
}

Played play_layerwise(const PlayRates& rates, const LoopShape& shape = loop()) {
  const std::vector<Use> uses = list_uses(shape);
  return play(make_schedule(OffloadMode::layerwise, shape, uses, {}), uses, weights, rates);
}

double total(const Played& played) {
  double seconds = 0;
  for (const PlayedStep& step : played.steps) seconds += step.seconds;
  return seconds;
}

PlayRates link(double bytes_per_second) {
  PlayRates rates;
  rates.in = rates.out = bytes_per_second;
  return rates;
}

TEST(Streams, AnExchangeIsHiddenByComputingOfItsPieceAndExposedBeyondIt) {
  PlayRates rates = link(1000);
  rates.block = {{2, {.bytes = 100, .rate = 100, .rate_beside_copies = 100, .copy_rate = 1000}}};
  EXPECT_DOUBLE_EQ(total(play_layerwise(rates)), 8 * 2);
  rates.block = {{2, {.latency = 1, .bytes = 300, .rate = 100, .rate_beside_copies = 100, .copy_rate = 1000}}};
  EXPECT_DOUBLE_EQ(total(play_layerwise(rates)), 8 * 4);
}

TEST(Streams, ACopyAndAnExchangeSlowEachOtherDownWhileBothRun) {
  // Each use exchanges 100 bytes and computes nothing. Its copy of 100 bytes starts with the use before it.
  PlayRates rates = link(100);
  rates.block = {{0, {.bytes = 100, .rate = 100, .rate_beside_copies = 50, .copy_rate = 50}}};
  // Alone, the exchange and the copy take a second each; at the same time, they take two seconds. Beside the last two
  // uses run only copies for a next forward, which never comes.
  EXPECT_DOUBLE_EQ(total(play_layerwise(rates)), 8 * 2);
}

TEST(Streams, CopiesThatYieldWaitForTheExchangeButNotWithinAChunk) {
  PlayRates rates = link(100);
  rates.block = {{0, {.bytes = 100, .rate = 100, .rate_beside_copies = 50, .copy_rate = 50}}, {0.25}};
  rates.yields = true;
  rates.chunk_bytes = 25;
  // The exchange has the wire for its second. The copy, in chunks of 25 bytes, goes on while the use computes, and the
  // next use waits for the rest of the copy.
  const Played played = play_layerwise(rates);
  const double yielding = total(played);
  rates.yields = false;
  const double sharing = total(play_layerwise(rates));
  EXPECT_NEAR(yielding, 8 * 2, 0.8);
  EXPECT_NEAR(sharing, 8 * 2.25, 0.8);
  EXPECT_LT(yielding, sharing);
}

TEST(Streams, CopiesThatYieldWaitFromABlocksFirstExchangeToItsLast) {
  const PlayExchange exchange{.bytes = 50, .rate = 100, .rate_beside_copies = 100, .copy_rate = 100};
  PlayRates rates = link(100);
  rates.block = {{0.25}, {0, exchange}, {1}, {0, exchange}, {0.25}};
  rates.yields = true;
  rates.chunk_bytes = 20;
  // A block takes 2.5 s, of which the burst takes 2. Its copy of 100 bytes moves 25 before the burst, then the 15 that
  // are left of the second chunk, and 25 after the burst. The next use waits 0.35 s for the other 35. The first use
  // does not wait, as its block is there before the loop.
  const Played played = play_layerwise(rates);
  EXPECT_NEAR(total(played), 8 * 2.5 + 7 * 0.35, 1e-9);
  double exposed = 0, hidden = 0;
  for (const PlayedStep& step : played.steps) {
    exposed += step.exposed;
    hidden += step.hidden;
  }
  EXPECT_NEAR(exposed, 8 * 0.15 + 7 * 0.35, 1e-9);
  EXPECT_NEAR(hidden, 8 * 0.5, 1e-9);
  rates.yields = false;
  EXPECT_NEAR(total(play_layerwise(rates)), 8 * 2.5, 1e-9);
}

TEST(Streams, WhatIsExposedIsACopyWithoutComputingNotWithoutExchanges) {
  PlayRates rates = link(100);
  rates.block = {{0.5}, {0, {.bytes = 50, .rate = 100, .rate_beside_copies = 100, .copy_rate = 100}}};
  const Played played = play_layerwise(rates);
  EXPECT_DOUBLE_EQ(total(played), 8);
  EXPECT_DOUBLE_EQ(played.steps[0].exposed + played.steps[1].exposed, 8 * 0.5);
}

TEST(Streams, CopiesAreExposedOnTheFastestRankWhileItWaitsForTheSlowest) {
  PlayRates rates = link(100);
  rates.block = {{0.5}, {0, {.bytes = 50, .rate = 100, .rate_beside_copies = 100, .copy_rate = 100}}};
  const Played alike = play_layerwise(rates);
  rates.waits = 0.25;
  const Played played = play_layerwise(rates);
  for (size_t i = 0; i < played.steps.size(); ++i) {
    EXPECT_DOUBLE_EQ(played.steps[i].seconds, alike.steps[i].seconds);
    EXPECT_DOUBLE_EQ(played.steps[i].hidden, 0.75 * alike.steps[i].hidden);
    EXPECT_DOUBLE_EQ(played.steps[i].exposed, alike.steps[i].exposed + 0.25 * alike.steps[i].hidden);
  }
}

TEST(Streams, RanksThatBringPartsWaitForThePartsOfTheOthers) {
  PlayRates rates = link(100);
  rates.block = {{0.25}};
  rates.sharers = 4;
  rates.parts_rate = 1000;
  // A rank copies its quarter of a block in 0.25 s, as long as a use computes. The other three quarters arrive 0.075 s
  // later.
  EXPECT_NEAR(total(play_layerwise(rates)), 8 * 0.25 + 7 * 0.075, 0.3);
  rates.parts_rate = 75;  // the other parts of a block take one second, which nothing hides
  EXPECT_NEAR(total(play_layerwise(rates)), 8 * 1, 1.1);
}

TEST(Streams, TheSecondForwardsFirstBlockTakesWhatItTakesAndAStepWhatIsBesideItsBlocks) {
  LoopShape shape = loop(3);
  shape.forwards = {forward_cond, forward_uncond};
  PlayRates rates = link(1e9);
  rates.block = {{1}};
  rates.shared_block = {{0.5}};
  rates.after_blocks = {{.exchange = {.latency = 0.125}}};
  for (const GuidanceOrder order : values_of<GuidanceOrder>()) {
    shape.order = order;
    for (const PlayedStep& step : play_layerwise(rates, shape).steps) EXPECT_NEAR(step.seconds, 7.5 + 0.125, 1e-6);
  }
  shape.forwards = {forward_uncond};  // a rank that computes only one of the two forwards shares nothing
  EXPECT_NEAR(play_layerwise(rates, shape).steps[1].seconds, 4.125, 1e-6);
}

TEST(Streams, ComputingBesideCopiesIsSlowerForAsLongAsTheyRun) {
  PlayRates rates = link(100);
  rates.block = {{2}};
  rates.computing_beside_copies = 0.5;  // each copy lasts a second, which costs half a second of computing
  EXPECT_DOUBLE_EQ(total(play_layerwise(rates)), 8 * 2.5);
}

TEST(Streams, TheFirstLoadIsWhatIsCopiedBeforeTheLoopEachCopyWithItsLatency) {
  PlayRates rates = link(100);
  rates.block = {{1}};
  rates.copy_latency = 0.25;
  const LoopShape shape = loop();
  const std::vector<Use> uses = list_uses(shape);
  const Played played = play(make_schedule(OffloadMode::resident, shape, uses, {}), uses, weights, rates);
  EXPECT_DOUBLE_EQ(played.first_load, 5 * 0.25 + 4);
  EXPECT_DOUBLE_EQ(total(played), 8);
}

}  // namespace
}  // namespace wansweep
