#include "orchestrator/cluster/throttle.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

std::vector<PlannedArray> arrays_of(const std::vector<size_t>& sizes) {
  std::vector<PlannedArray> arrays;
  for (const size_t size : sizes) arrays.emplace_back().runs.resize(size);
  return arrays;
}

std::vector<int> running(const std::vector<PlannedArray>& arrays) {
  std::vector<int> running;
  for (const PlannedArray& array : arrays) running.push_back(array.running);
  return running;
}

TEST(Throttle, ArraysSideBySideShareTheBoundByTheirSizeWithOneAtLeast) {
  std::vector<PlannedArray> arrays = arrays_of({6, 1, 3});
  throttle_arrays(arrays, 10, {});
  EXPECT_EQ(running(arrays), (std::vector{6, 1, 3}));
  throttle_arrays(arrays, 3, {});
  EXPECT_EQ(running(arrays), (std::vector{1, 1, 1}));
  for (const PlannedArray& array : arrays) EXPECT_FALSE(array.after);
}

TEST(Throttle, MoreArraysThanTheBoundQueueUpBehindEachOther) {
  std::vector<PlannedArray> arrays = arrays_of({6, 1, 3});
  throttle_arrays(arrays, 1, {});
  EXPECT_EQ(running(arrays), (std::vector{1, 1, 1}));
  EXPECT_FALSE(arrays[0].after);
  EXPECT_EQ(arrays[1].after, 0u);
  EXPECT_EQ(arrays[2].after, 1u);
  throttle_arrays(arrays, 2, {});
  EXPECT_FALSE(arrays[1].after);
  EXPECT_EQ(arrays[2].after, 1u) << "behind the shorter one";
}

TEST(Throttle, WhatSlurmHasAlreadyCountsToo) {
  std::vector<PlannedArray> arrays = arrays_of({4});
  throttle_arrays(arrays, 5, {3, {17}});
  EXPECT_EQ(running(arrays), (std::vector{2}));
  EXPECT_TRUE(arrays[0].after_jobs.empty());
  throttle_arrays(arrays, 3, {3, {17, 18}});
  EXPECT_EQ(running(arrays), (std::vector{3}));
  EXPECT_EQ(arrays[0].after_jobs, (std::vector<int64_t>{17, 18}));
}

TEST(Throttle, WithoutABoundAllRun) {
  std::vector<PlannedArray> arrays = arrays_of({4});
  throttle_arrays(arrays, 0, {3, {17}});
  EXPECT_EQ(running(arrays), (std::vector{0}));
}

}  // namespace
}  // namespace wansweep
