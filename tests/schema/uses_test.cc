#include "schema/uses.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

LoopShape small_loop() {
  LoopShape shape;
  shape.steps = 2;
  shape.switch_step = 2;
  shape.experts = 2;
  shape.layers = 2;
  shape.forwards = {forward_cond, forward_uncond};
  return shape;
}

TEST(Uses, GoThroughStepsForwardsAndBlocksInTheLoopsOrder) {
  EXPECT_EQ(list_uses(small_loop()), (std::vector<Use>{{1, 0, 0, 0},
                                                       {1, 0, 0, 1},
                                                       {1, 0, 1, 0},
                                                       {1, 0, 1, 1},
                                                       {2, 1, 0, 0},
                                                       {2, 1, 0, 1},
                                                       {2, 1, 1, 0},
                                                       {2, 1, 1, 1}}));
}

TEST(Uses, AreAllOfTheFirstExpertWithoutASwitchStep) {
  LoopShape shape = small_loop();
  shape.switch_step.reset();
  for (const Use& use : list_uses(shape)) EXPECT_EQ(use.expert, 0);
}

TEST(Uses, AreAllOfTheSecondExpertWhenItBeginsAtTheFirstStep) {
  LoopShape shape = small_loop();
  shape.switch_step = 1;
  for (const Use& use : list_uses(shape)) EXPECT_EQ(use.expert, 1);
}

TEST(Uses, BlockOrderPutsBothForwardsIntoOnePass) {
  LoopShape shape = small_loop();
  shape.order = GuidanceOrder::block;
  EXPECT_EQ(list_uses(shape),
            (std::vector<Use>{
                {1, 0, forward_both, 0}, {1, 0, forward_both, 1}, {2, 1, forward_both, 0}, {2, 1, forward_both, 1}}));
}

TEST(Uses, OneForwardIsTheSameInBothOrders) {
  LoopShape shape = small_loop();
  shape.forwards = {forward_uncond};
  const std::vector<Use> branch = list_uses(shape);
  shape.order = GuidanceOrder::block;
  EXPECT_EQ(list_uses(shape), branch);
}

TEST(Uses, KnowHowManyExpertsWork) {
  LoopShape shape = small_loop();
  EXPECT_EQ(experts_used(shape), 2);
  shape.switch_step = 1;
  EXPECT_EQ(experts_used(shape), 1);
  shape.switch_step.reset();
  EXPECT_EQ(experts_used(shape), 1);
}

TEST(Uses, ARankMakesBothForwardsUnlessRanksShareTheGuidance) {
  const ParallelPlan together = make_parallel_plan({2, false, {}, {}, 4, 8});
  const ParallelPlan split = make_parallel_plan({2, true, {}, {}, 4, 8});
  const std::vector<int8_t> both{forward_cond, forward_uncond}, cond{forward_cond}, uncond{forward_uncond};
  for (const int rank : {0, 1}) EXPECT_EQ(forwards_of_rank(true, together, rank), both);
  for (const int rank : {0, 1}) EXPECT_EQ(forwards_of_rank(false, together, rank), cond);
  EXPECT_EQ(forwards_of_rank(true, split, 0), cond);
  EXPECT_EQ(forwards_of_rank(true, split, 1), uncond);
}

}  // namespace
}  // namespace wansweep
