#include "orchestrator/sweep/attempt_outcome.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "base/sha256.h"
#include "schema/completion.h"
#include "schema/trace_file.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

constexpr AttemptEnd completed = AttemptEnd::completed;
constexpr AttemptEnd failed = AttemptEnd::failed;
constexpr AttemptEnd timeout = AttemptEnd::timeout;
constexpr std::nullopt_t not_decided = std::nullopt;

TEST(AttemptOutcome, FollowsTheTableOfItsHeader) {
  struct Row {
    LauncherWord word;
    std::optional<AttemptEnd> whole, absent, wrong, unreadable;
  };
  const Row table[] = {
      {LauncherWord::exit_zero, completed, failed, failed, not_decided},
      {LauncherWord::exit_other, failed, failed, failed, failed},
      {LauncherWord::struck, completed, timeout, timeout, not_decided},
      {LauncherWord::none, completed, timeout, timeout, not_decided},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(static_cast<int>(row.word));
    const LauncherWitness launcher{row.word, timeout};
    EXPECT_EQ(outcome_of(launcher, RecordWord::whole), row.whole);
    EXPECT_EQ(outcome_of(launcher, RecordWord::absent), row.absent);
    EXPECT_EQ(outcome_of(launcher, RecordWord::wrong), row.wrong);
    EXPECT_EQ(outcome_of(launcher, RecordWord::unreadable), row.unreadable);
  }
}

TEST(AttemptOutcome, ARecordIsWholeAbsentWrongOrUnreadable) {
  const TemporaryDirectory attempt;
  EXPECT_EQ(read_record(attempt.path()).word, RecordWord::absent);

  Completion completion;
  completion.ranks = 1;
  completion.started_at = completion.finished_at = timestamp_now();
  completion.latents_digest = sha256("");
  const std::string trace = write_text(attempt / trace_file_name(0), "a trace");
  completion.traces.push_back({trace_file_name(0), 0, 0, 0, sha256_file(trace)});
  write_completion(attempt.path(), completion);
  EXPECT_EQ(read_record(attempt.path()).word, RecordWord::whole) << read_record(attempt.path()).line;
  EXPECT_EQ(read_record(attempt.path()).line, "");

  write_text(trace, "another one");
  EXPECT_EQ(read_record(attempt.path()).word, RecordWord::wrong);
  EXPECT_NE(read_record(attempt.path()).line.find(trace), std::string::npos);

  write_text(attempt / "completed.json", "");
  EXPECT_EQ(read_record(attempt.path()).word, RecordWord::unreadable);
  EXPECT_NE(read_record(attempt.path()).line.find("completed.json"), std::string::npos);
}

}  // namespace
}  // namespace wansweep
