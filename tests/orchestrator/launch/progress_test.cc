#include <gtest/gtest.h>

#include <optional>

#include "base/files.h"
#include "base/text_table.h"
#include "orchestrator/launch/steps_done.h"
#include "orchestrator/launch/sweep_progress.h"
#include "schema/trace_file.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

TEST(Progress, CountsRunsDoneRunningAndFailedAndSaysTheTimeLeft) {
  const Progress progress{36, 11, 0, 1, "r4-swap-shift12", 42};
  EXPECT_EQ(progress_text(progress, 200), "[12/36] 11 done, 1 running (r4-swap-shift12), 0 failed, 0:42 left");
}

TEST(Progress, TheNameGivesWayToTheTerminalsWidth) {
  const Progress progress{36, 11, 0, 1, "r4-swap-shift12-0123abcd-1", 42};
  for (const size_t width : {10u, 50u, 60u, 70u, 75u}) EXPECT_LE(progress_text(progress, width).size(), width);
  EXPECT_EQ(progress_text(progress, 63), "[12/36] 11 done, 1 running (r4-swap-sh...), 0 failed, 0:42 left");
}

TEST(Progress, TimeLeftIsSilentUntilItIsKnown) {
  EXPECT_EQ(progress_text({3, 0, 0, 1, "a", -1}, 80), "[1/3] 0 done, 1 running (a), 0 failed");
}

TEST(Progress, TheOldestRunSaysItsStep) {
  EXPECT_EQ(progress_text({3, 0, 0, 1, "a", 70, 5, 27}, 80),
            "[1/3] 0 done, 1 running (a, step 5 of 27), 0 failed, 1:10 left");
  EXPECT_EQ(progress_text({3, 0, 0, 1, "", -1, 5, 27}, 80), "[1/3] 0 done, 1 running (step 5 of 27), 0 failed");
}

TEST(StepsDone, AreReadFromATraceThatIsBeingWritten) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(steps_done(directory.path())) << "there is no trace yet";
  TraceWriter writer(directory.path() + "/" + trace_file_name(0), "{}", "{}");
  EXPECT_FALSE(steps_done(directory.path())) << "no step has ended";
  TraceRows rows;
  for (int32_t step = 1; step <= 3; ++step) {
    const int64_t start = step * int64_t{1'000'000'000};
    rows.steps.push_back({step, 1, 900, 0.9F, start, start + step * 100'000'000});
  }
  writer.append(rows);
  const std::optional<StepsDone> done = steps_done(directory.path());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->steps, 3);
  EXPECT_DOUBLE_EQ(done->seconds_a_step, 0.2);
}

TEST(StepsDone, AreUnknownWhereTheTraceIsNone) {
  const TemporaryDirectory directory;
  write_file_atomically(directory.path() + "/" + trace_file_name(0), "no trace");
  EXPECT_FALSE(steps_done(directory.path()));
}

TEST(TextTable, AlignsColumns) {
  TextTable table({{"name"}, {"bytes", Align::right}});
  table.add_row({"a", "1"});
  table.add_row({"longer", "12345678"});
  EXPECT_EQ(table.to_string(), "name       bytes\n------  --------\na              1\nlonger  12345678\n");
}

TEST(HumanText, BytesAndDurationsAreShort) {
  EXPECT_EQ(human_bytes(0), "0");
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(26.61 * 1024 * 1024 * 1024), "26.6 GiB");
  EXPECT_EQ(human_duration(42.4), "0:42");
  EXPECT_EQ(human_duration(11220), "3:07:00");
}

}  // namespace
}  // namespace wansweep
