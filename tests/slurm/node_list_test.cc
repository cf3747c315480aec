#include "slurm/node_list.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

NodeGroup only(const std::string& line) {
  const NodeList list = read_sinfo(line + '\n');
  EXPECT_EQ(list.groups.size(), 1u) << line;
  return list.groups.empty() ? NodeGroup{} : list.groups[0];
}

TEST(NodeList, AGroupOfEqualNodesIsRead) {
  const NodeGroup group = only("gpu*|up|2-00:00:00|4|64|256000|gpu:h100:4(S:0-1)");
  EXPECT_EQ(group.time_limit, 172800);
  EXPECT_EQ(group.cores.amount, 64);
  EXPECT_FALSE(group.cores.or_more);
  EXPECT_EQ(group.memory.amount, 256000);
}

TEST(NodeList, APlusSaysThatLargerNodesAreInTheGroup) {
  const NodeGroup group = only("gpu|up|infinite|4|48+|128000+|(null)");
  EXPECT_EQ(group.cores.amount, 48);
  EXPECT_TRUE(group.cores.or_more);
  EXPECT_TRUE(group.memory.or_more);
  EXPECT_EQ(group.time_limit, 0);
  EXPECT_EQ(group.count_of("gpu"), 0);
}

TEST(NodeList, GresAreCountedByNameOrByType) {
  const NodeGroup group = only("gpu|up|1:00:00|4|64|256000|gpu:h100:4(S:0,2),gpu:a100:2(S:1),nic:1,shard:h100:8");
  EXPECT_EQ(group.count_of("gpu"), 6);
  EXPECT_EQ(group.count_of("gpu:h100"), 4);
  EXPECT_EQ(group.count_of("gpu:a100"), 2);
  EXPECT_EQ(group.count_of("gpu:v100"), 0);
  EXPECT_EQ(group.count_of("nic"), 1);
  EXPECT_EQ(only("p|up|1:00:00|1|8|1000|gpu").count_of("gpu"), 1);
  EXPECT_EQ(only("p|up|1:00:00|1|8|1000|gpu:3").count_of("gpu"), 3);
  EXPECT_EQ(only("p|up|1:00:00|1|8|1000|mygpu:h100:3").count_of("gpu:h100"), 0) << "another resource";
}

TEST(NodeList, WhatCannotBeReadIsKeptAsALine) {
  const NodeList list = read_sinfo("CLUSTER: big\nsinfo: hello\ngpu|up|n/a|4|many|1000|gpu:4\n");
  EXPECT_TRUE(list.groups.empty());
  EXPECT_EQ(list.unread.size(), 2u);
}

}  // namespace
}  // namespace wansweep
