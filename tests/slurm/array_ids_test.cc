#include "slurm/array_ids.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

using Indices = std::vector<int>;

TEST(ArrayIds, OneMemberAndAPlainJobAreRead) {
  EXPECT_EQ(parse_array_ids("7")->job, 7);
  EXPECT_TRUE(parse_array_ids("7")->indices.empty());
  EXPECT_EQ(parse_array_ids("123_4")->job, 123);
  EXPECT_EQ(parse_array_ids("123_4")->indices, Indices{4});
}

TEST(ArrayIds, PendingRangesStepsAndThrottlesAreRead) {
  EXPECT_EQ(parse_array_ids("7_[0-3]")->indices, (Indices{0, 1, 2, 3}));
  EXPECT_EQ(parse_array_ids("7_[1-3,5%2]")->indices, (Indices{1, 2, 3, 5}));
  EXPECT_EQ(parse_array_ids("7_[4-9:2%2]")->indices, (Indices{4, 6, 8}));
}

TEST(ArrayIds, AListThatWasCutShortIsRefused) {
  for (const char* text :
       {"", "x", "7_", "7_[1-3,...]", "7_[1-3", "7_[3-1]", "7_[1-5:0]", "7_[]", "7_1-3", "7_-1", "7_[0-99999999]"}) {
    EXPECT_EQ(parse_array_ids(text), std::nullopt) << text;
  }
}

TEST(ArrayIds, ARangeIsWrittenWithItsThrottle) {
  EXPECT_EQ(array_range(1, 0), "0-0");
  EXPECT_EQ(array_range(8, 2), "0-7%2");
}

}  // namespace
}  // namespace wansweep
