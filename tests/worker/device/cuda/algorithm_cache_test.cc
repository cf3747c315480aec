#include "worker/device/cuda/algorithm_cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

class AlgorithmCacheTest : public testing::Test {
 protected:
  AlgorithmCacheTest() { setenv("WANSWEEP_ALGORITHM_CACHE", file_.c_str(), 1); }
  ~AlgorithmCacheTest() override { unsetenv("WANSWEEP_ALGORITHM_CACHE"); }

  TemporaryDirectory directory_;
  std::string file_ = directory_ / "made/algorithms";
};

TEST_F(AlgorithmCacheTest, WhatOneProcessStoresAnotherFinds) {
  AlgorithmCache one, other;
  EXPECT_EQ(one.find("m 1"), std::nullopt);
  EXPECT_EQ(one.store("m 1", "fast"), "fast");
  EXPECT_EQ(other.find("m 1"), "fast");
  EXPECT_EQ(AlgorithmCache().find("m 1"), "fast");
}

TEST_F(AlgorithmCacheTest, TheFirstChoiceCounts) {
  AlgorithmCache one, other;
  EXPECT_EQ(one.store("m 1", "first"), "first");
  EXPECT_EQ(other.store("m 1", "second"), "first");
  EXPECT_EQ(one.find("m 1"), "first");
}

TEST_F(AlgorithmCacheTest, LinesThatAreNoChoiceArePassedOver) {
  AlgorithmCache().store("m 1", "fast");
  std::ofstream(file_, std::ios::app) << "no tab\n\nm 2\tslow\t7\nm 3\tslow\n";
  AlgorithmCache cache;
  EXPECT_EQ(cache.find("no tab"), std::nullopt);
  EXPECT_EQ(cache.find("m 2"), "slow");
  EXPECT_EQ(cache.find("m 3"), std::nullopt) << "without its length";
}

// A rank that reads while another writes sees a part of a line. Taken for a choice, it would end the run.
TEST_F(AlgorithmCacheTest, APartOfALineIsPassedOverAndTheWholeLineCountsLater) {
  AlgorithmCache cache;
  std::ofstream(file_, std::ios::app) << "m 1\tfa";
  EXPECT_EQ(cache.find("m 1"), std::nullopt);
  std::ofstream(file_, std::ios::app) << "st\t7\n";
  EXPECT_EQ(cache.store("m 1", "slow"), "fast");
}

TEST_F(AlgorithmCacheTest, ALineThatAKilledProcessLeftUnfinishedSpoilsNoLaterLine) {
  AlgorithmCache cache;
  std::ofstream(file_, std::ios::app) << "m 1\tfa";
  EXPECT_EQ(cache.store("m 1", "slow"), "slow");
  EXPECT_EQ(cache.store("m 2", "slow"), "slow");
  AlgorithmCache other;
  EXPECT_EQ(other.find("m 1"), "slow");
  EXPECT_EQ(other.find("m 2"), "slow");
}

TEST_F(AlgorithmCacheTest, WhereNoFileCanBeMadeThereIsNone) {
  setenv("WANSWEEP_ALGORITHM_CACHE", "/proc/none/algorithms", 1);
  AlgorithmCache cache;
  EXPECT_EQ(cache.file(), "");
  EXPECT_EQ(cache.store("m 1", "first guess"), "first guess");
}

}  // namespace
}  // namespace wansweep
