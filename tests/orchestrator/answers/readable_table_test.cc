#include "orchestrator/answers/report/readable_table.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

TEST(ReadableTable, LargeMillisecondsBecomeSecondsAndMebibytesGibibytes) {
  const Table table = readable({{"run", "spike_ms", "copied_mib"},
                                {{std::string("a"), 1862.47, 54617.6}, {std::string("b"), -53.69, 0.0}},
                                false});
  EXPECT_EQ(table.columns, (std::vector<std::string>{"run", "spike_s", "copied_gib"}));
  EXPECT_EQ(shown_cells(table, "-"),
            (std::vector<std::vector<std::string>>{{"a", "1.862", "53.34"}, {"b", "-0.054", "0.00"}}));
}

TEST(ReadableTable, ColumnsOfTimeShareOneUnit) {
  EXPECT_EQ(readable({{"step_ms", "idle_ms", "peers_ms"}, {{1180.25, 0.3, 0.0}}, false}).columns,
            (std::vector<std::string>{"step_s", "idle_s", "peers_s"}));
  EXPECT_EQ(readable({{"longest_ms", "p50_ms"}, {{1862.0, 0.013}}, false}).columns,
            (std::vector<std::string>{"longest_ms", "p50_ms"}));
}

TEST(ReadableTable, SmallNumbersKeepTheirUnit) {
  EXPECT_EQ(readable({{"spike_ms"}, {{44.63}, {2.6}}, false}).columns[0], "spike_ms");
  EXPECT_EQ(readable({{"p50_ms"}, {{1862.0}, {0.013}}, false}).columns[0], "p50_ms") << "seconds would lose the least";
}

TEST(ReadableTable, DigitsThatNobodyReadsAreRoundedAway) {
  const Table table =
      readable({{"peak_device_gib", "offload"}, {{54.4395, std::string("x")}, {4.0371, std::monostate{}}}, false});
  EXPECT_EQ(shown_cells(table, "-"), (std::vector<std::vector<std::string>>{{"54.44", "x"}, {"4.04", "-"}}));
  EXPECT_EQ(shown_cells(readable({{"spike_s"}, {{1.8625}, {0.0054}}, false}), "-")[1][0], "0.0054");
}

TEST(ReadableTable, ColumnsWithoutAUnitStay) {
  EXPECT_EQ(shown_cells(readable({{"steps", "flow_shift"}, {{int64_t{123456}, 3.14159}}, false}), "-")[0],
            (std::vector<std::string>{"123456", "3.14159"}));
}

TEST(ReadableTable, AMinuteLeastValueDoesNotLengthenTheOthers) {
  EXPECT_EQ(shown_cells(readable({{"step_s"}, {{14.3871}, {0.00052}}, false}), "-"),
            (std::vector<std::vector<std::string>>{{"14.3871"}, {"0.0005"}}));
}

TEST(ReadableTable, DigestsAreCutToTheirFirstDigits) {
  const std::string digest(64, 'a'), run = "r4-planned-shift12-f8f01105-3-and-more-words";
  EXPECT_EQ(shown_cells(readable({{"machine_digest", "run"}, {{digest, run}}, false}), "-")[0],
            (std::vector<std::string>{"aaaaaaaaaaaa…", run}));
}

TEST(ReadableTable, HeadingsHaveTheUnitBehindTheName) {
  EXPECT_EQ(heading_of("median_step_ms"), "median step (ms)");
  EXPECT_EQ(heading_of("alone_gb_per_s"), "alone (GB/s)");
  EXPECT_EQ(heading_of("gb_per_s"), "GB/s");
  EXPECT_EQ(heading_of("beyond_noise"), "beyond noise");
}

}  // namespace
}  // namespace wansweep
