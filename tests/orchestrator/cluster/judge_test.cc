// States that a test cluster cannot be made to show, or that take too long to come.

#include "orchestrator/cluster/judge.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

JobRow row(const char* word) {
  JobRow row;
  row.array_job = 7;
  row.state = job_state_from(word);
  row.word = word;
  return row;
}

Evidence at(int64_t now) {
  Evidence evidence;
  evidence.slurm_knows_all = true;
  evidence.now = now;
  evidence.lost_seconds = 60;
  return evidence;
}

Evidence seen(const char* word, int64_t now, bool record_whole = false) {
  Evidence evidence = at(now);
  evidence.row = row(word);
  if (record_whole) evidence.record = {RecordWord::whole, ""};
  return evidence;
}

TEST(Verdict, CompletedNeedsTheRecordToo) {
  const Verdict good = judge(seen("COMPLETED", 100, true), {});
  EXPECT_TRUE(good.final);
  EXPECT_EQ(good.state, JobState::completed);
  const Verdict early = judge(seen("COMPLETED", 100), {});
  EXPECT_FALSE(early.final);
  const Verdict late = judge(seen("COMPLETED", 160), early.memory);
  EXPECT_TRUE(late.final);
  EXPECT_EQ(late.state, JobState::failed);
}

TEST(Verdict, AFailedJobIsNoResultWhateverItsRecordSays) {
  EXPECT_EQ(judge(seen("FAILED", 100, true), {}).state, JobState::failed);
}

TEST(Verdict, AnEndBySlurmAfterTheRecordWasWholeIsAResult) {
  for (const char* word : {"OUT_OF_MEMORY", "TIMEOUT", "CANCELLED", "NODE_FAIL"}) {
    const Verdict verdict = judge(seen(word, 100, true), {});
    EXPECT_TRUE(verdict.final) << word;
    EXPECT_EQ(verdict.state, JobState::completed) << word;
    EXPECT_NE(verdict.line.find(word), std::string::npos);
  }
}

TEST(Verdict, APreemptedJobMayComeBackAndIsFinalOnlyWhenItDoesNot) {
  const Verdict first = judge(seen("PREEMPTED", 100), {});
  EXPECT_FALSE(first.final);
  const Verdict back = judge(seen("PENDING", 110), first.memory);
  EXPECT_EQ(back.state, JobState::queued);
  EXPECT_FALSE(judge(seen("PREEMPTED", 165), back.memory).final) << "the first life's end does not count";
  const Verdict gone = judge(seen("PREEMPTED", 160), first.memory);
  EXPECT_TRUE(gone.final);
  EXPECT_EQ(gone.state, JobState::preempted);
}

TEST(Verdict, AnUnknownJobIsLostAfterThreePollsAndTheGraceAndNeverSuccess) {
  Verdict verdict = judge(at(100), {});
  EXPECT_EQ(verdict.state, JobState::unknown);
  EXPECT_FALSE(verdict.final);
  verdict = judge(at(200), verdict.memory);
  EXPECT_FALSE(verdict.final) << "two polls";
  verdict = judge(at(201), verdict.memory);
  EXPECT_TRUE(verdict.final);
  EXPECT_EQ(verdict.state, JobState::lost);
}

TEST(Verdict, ALateAccountingRowEndsTheDoubt) {
  const Verdict absent = judge(at(100), {});
  const Verdict late = judge(seen("COMPLETED", 130, true), absent.memory);
  EXPECT_EQ(late.state, JobState::completed);
  EXPECT_EQ(late.memory.absent_polls, 0);
}

TEST(Verdict, ARecordWhoseJobSlurmHasForgottenIsAResult) {
  Evidence evidence = at(100);
  evidence.record = {RecordWord::whole, ""};
  const Verdict verdict = judge(evidence, {});
  EXPECT_TRUE(verdict.final);
  EXPECT_EQ(verdict.state, JobState::completed);
}

TEST(Verdict, ASilentSlurmLosesNothing) {
  Evidence evidence = at(1'000'000);
  evidence.slurm_knows_all = false;
  Verdict verdict = judge(evidence, {});
  for (int poll = 0; poll < 10; ++poll) verdict = judge(evidence, verdict.memory);
  EXPECT_FALSE(verdict.final);
  EXPECT_EQ(verdict.memory.absent_polls, 0);
}

TEST(Verdict, ARecordThatCannotBeReadDecidesNothing) {
  for (const char* word : {"COMPLETED", "TIMEOUT", "NODE_FAIL"}) {
    Evidence evidence = seen(word, 100);
    evidence.record = {RecordWord::unreadable, "completed.json: cannot be read: Input/output error"};
    const Verdict first = judge(evidence, {});
    EXPECT_FALSE(first.final) << word;
    EXPECT_EQ(first.state, JobState::unknown) << word;
    EXPECT_NE(first.line.find("Input/output error"), std::string::npos) << first.line;
    evidence.now = 1'000'000;
    EXPECT_FALSE(judge(evidence, first.memory).final) << "nor does time";
  }
  Evidence absent = at(1'000'000);
  absent.record = {RecordWord::unreadable, "completed.json: is not JSON"};
  Verdict verdict = judge(absent, {});
  for (int poll = 0; poll < 10; ++poll) verdict = judge(absent, verdict.memory);
  EXPECT_FALSE(verdict.final);
}

TEST(Verdict, AJobThatCameBackToTheQueueSaysAfterWhat) {
  const Verdict gone = judge(seen("NODE_FAIL", 100), {});
  Evidence back = seen("PENDING", 110);
  back.row->reason = "BeginTime";
  const Verdict queued = judge(back, gone.memory);
  EXPECT_EQ(queued.state, JobState::queued);
  EXPECT_EQ(queued.line, "requeued after NODE_FAIL: BeginTime");
  EXPECT_EQ(judge(seen("RUNNING", 120), queued.memory).line, "requeued after NODE_FAIL");
  EXPECT_EQ(judge(seen("FAILED", 130), queued.memory).memory.requeued_after, "NODE_FAIL");
}

TEST(Verdict, AWordThatOnlyANewerSlurmSaysIsShownAndAskedAboutAgain) {
  const Verdict verdict = judge(seen("TELEPORTED", 100), {});
  EXPECT_FALSE(verdict.final);
  EXPECT_EQ(verdict.line, "Slurm says TELEPORTED, a state that wansweep does not know");
}

TEST(Verdict, AJobKilledBySignalAfterItsRecordWasWholeIsAResult) {
  Evidence evidence = seen("FAILED", 100, true);
  evidence.row->signal = 9;
  EXPECT_EQ(judge(evidence, {}).state, JobState::completed);
}

}  // namespace
}  // namespace wansweep
