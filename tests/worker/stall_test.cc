#include "worker/stall.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

// A node with four ranks in step 7 whose time is up.
NodeSight stalled_node() {
  NodeSight node;
  node.host = "node07";
  node.limit_s = 600;
  node.waited_s = 601;
  for (int rank = 0; rank < 4; ++rank) node.ranks.push_back({rank, 100 + rank, 6, 0.5, 'S'});
  return node;
}

TEST(Stall, NoStallIsReportedBeforeTheLimit) {
  NodeSight node = stalled_node();
  node.waited_s = 599;
  node.ranks[2].state = 'T';
  EXPECT_FALSE(find_stall(node).has_value()) << "a stopped rank may go on";
}

TEST(Stall, AStoppedRankIsNamedBeforeAllElse) {
  NodeSight node = stalled_node();
  node.ranks[1].silent_s = 400;
  node.ranks[2] = {2, 102, 6, 598, 'T'};
  node.ranks[3].steps = 5;
  const auto stall = find_stall(node);
  ASSERT_TRUE(stall.has_value());
  EXPECT_EQ(stall->rank, 2);
  EXPECT_EQ(
      stall->line,
      "no step for 601 s: rank 2 (process 102 on node07) has been stopped by a signal for 598 s, in step 7; ranks "
      "0, 1 and 3 wait for it");
}

TEST(Stall, ARankWithoutLifeIsNamedWithWhatTheKernelSays) {
  NodeSight node = stalled_node();
  node.ranks[0].silent_s = 590;
  node.ranks[0].state = 'D';
  auto stall = find_stall(node);
  ASSERT_TRUE(stall.has_value());
  EXPECT_EQ(stall->rank, 0);
  EXPECT_NE(stall->line.find("has shown no life for 590 s, and waits in the kernel for a disk or a device, in step 7"),
            std::string::npos)
      << stall->line;
  node.ranks[0].state = {};
  stall = find_stall(node);
  EXPECT_NE(stall->line.find("rank 0 (process 100 on node07) has ended, in step 7"), std::string::npos) << stall->line;
}

TEST(Stall, ARankThatIsAStepBehindIsNamed) {
  NodeSight node = stalled_node();
  node.ranks[3].steps = 5;
  const auto stall = find_stall(node);
  ASSERT_TRUE(stall.has_value());
  EXPECT_EQ(stall->rank, 3);
  EXPECT_NE(
      stall->line.find("rank 3 (process 103 on node07) has not come to the end of the step, in step 6; ranks 0, 1 "
                       "and 2 wait for it"),
      std::string::npos)
      << stall->line;
}

TEST(Stall, WhereNoRankIsToBlameTheLineSaysSo) {
  const auto stall = find_stall(stalled_node());
  ASSERT_TRUE(stall.has_value());
  EXPECT_FALSE(stall->rank.has_value());
  EXPECT_EQ(stall->line,
            "no step for 601 s: ranks 0, 1, 2 and 3 on node07 are alive in step 7, and a device or an exchange between "
            "them hangs, or a step takes longer than step_timeout allows");
}

TEST(Stall, AnotherNodeThatKnowsBetterMaySpeakFirst) {
  NodeSight node = stalled_node();
  node.ranks_elsewhere = 4;
  EXPECT_FALSE(find_stall(node).has_value());
  node.waited_s = 666;
  const auto stall = find_stall(node);
  ASSERT_TRUE(stall.has_value());
  EXPECT_NE(stall->line.find("the other 4 ranks are on other nodes"), std::string::npos) << stall->line;

  node.waited_s = 601;
  node.ranks[2].state = 'T';
  EXPECT_TRUE(find_stall(node).has_value()) << "this node knows best";
}

TEST(Stall, OutsideOfTheStepsOnlyARankThatIsNotRunningCounts) {
  NodeSight node = stalled_node();
  node.part = Part::before_steps;
  node.waited_s = 10'000;
  for (RankSight& rank : node.ranks) rank.steps = 0;
  EXPECT_FALSE(find_stall(node).has_value()) << "weights may come from a slow disk";
  node.ranks[1].state = 'T';
  EXPECT_FALSE(find_stall(node).has_value()) << "it was stopped just now";
  node.ranks[1].silent_s = 600;
  const auto stall = find_stall(node);
  ASSERT_TRUE(stall.has_value());
  EXPECT_EQ(stall->rank, 1);
  EXPECT_EQ(stall->line,
            "rank 1 (process 101 on node07) has been stopped by a signal for 600 s, before the first step; ranks 0, 2 "
            "and 3 wait for it");
}

}  // namespace
}  // namespace wansweep
