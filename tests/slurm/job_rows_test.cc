// What squeue, sacct and sbatch print at real sites: other versions, wrappers, accounting with gaps.

#include "slurm/job_rows.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

const std::string token = "ws-1f0c93ab-5e0d41c7";
const std::vector<std::string> tokens{token};

TEST(Squeue, ARunningAndAnEndedMemberAreRead) {
  const JobRows rows = read_squeue(token + "|1001|0|RUNNING|None|n1|0|1790000000|N/A|\n" + token +
                                       "|1001|1|FAILED|NonZeroExitCode|n2|512|1790000000|1790000060|\n",
                                   tokens);
  EXPECT_TRUE(rows.complete());
  const JobRow first = rows.members.at({token, 0});
  EXPECT_EQ(first.state, JobState::running);
  EXPECT_EQ(first.array_job, 1001);
  EXPECT_EQ(first.reason, "");
  EXPECT_EQ(first.exit_code, std::nullopt);
  EXPECT_EQ(first.started_at, "2026-09-21T14:13:20Z");
  const JobRow second = rows.members.at({token, 1});
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_EQ(second.ended_at, "2026-09-21T14:14:20Z");
}

TEST(Squeue, ALineWithoutSeparatorsIsUnreadAndNotAbsence) {
  const JobRows rows =
      read_squeue("ws-1f0c93ab-5e0d41c71001                0                   RUNNING             None\n", tokens);
  EXPECT_TRUE(rows.answered);
  EXPECT_FALSE(rows.complete());
  ASSERT_EQ(rows.unread.size(), 1u);
  EXPECT_TRUE(rows.members.empty());
}

TEST(Squeue, ALineThatCannotBeReadHidesNoOther) {
  const JobRows rows = read_squeue("slurm: controller busy, please be patient\n" + token +
                                       "|1001|0|RUNNING|None|n1|0|1790000000|N/A|\n" + token +
                                       "|1001|x7|RUNNING|None|n1|0|1790000000|N/A|\n",
                                   tokens);
  EXPECT_EQ(rows.members.size(), 1u);
  EXPECT_EQ(rows.unread.size(), 2u);
  EXPECT_FALSE(rows.complete());
}

TEST(Squeue, ANumberThatCannotBeReadLeavesTheRestOfItsRow) {
  for (const char* number : {"4294967294", "99999999999999999999999", "-1", "", "N/A"}) {
    const JobRows rows =
        read_squeue(token + "|1001|0|FAILED|None|n1|" + number + "|99999999999999999999|1790000060|\n", tokens);
    ASSERT_TRUE(rows.complete()) << number;
    const JobRow row = rows.members.at({token, 0});
    EXPECT_EQ(row.state, JobState::failed);
    EXPECT_EQ(row.exit_code, std::nullopt) << number;
    EXPECT_EQ(row.signal, std::nullopt) << number;
    EXPECT_EQ(row.started_at, "");
    EXPECT_EQ(row.ended_at, "2026-09-21T14:14:20Z");
  }
}

TEST(Squeue, PendingMembersThatAreNotExpandedAreAllRead) {
  const JobRows rows = read_squeue(token + "|1001|0-2,5%2|PENDING|Priority||0|N/A|N/A|\n", tokens);
  // squeue writes a range in brackets only behind the job's id; in ArrayTaskID the range has no brackets.
  EXPECT_FALSE(rows.complete());
  const JobRows bracketed = read_squeue(token + "|1001|[0-2,5%2]|PENDING|Priority||0|N/A|N/A|\n", tokens);
  EXPECT_EQ(bracketed.members.size(), 4u);
  EXPECT_EQ(bracketed.members.at({token, 5}).reason, "Priority");
}

TEST(Squeue, JobsOfOthersAndClusterHeadingsArePassedOver) {
  const JobRows rows = read_squeue("CLUSTER: big\nother|77|0|RUNNING|None|n1|0|1790000000|N/A|\n\n" + token +
                                       "|1001|0|PENDING|Resources||0|N/A|N/A|\n",
                                   tokens);
  EXPECT_TRUE(rows.complete());
  EXPECT_EQ(rows.members.size(), 1u);
  EXPECT_EQ(rows.first_job(), 1001);
}

TEST(Sacct, AnArrayCancelledWhilePendingIsKnownAlsoWithoutAnIndex) {
  const JobRows rows = read_sacct(token + "|1001|CANCELLED by 1234|0:0||None|2026-11-26T13:00:00\n", tokens);
  EXPECT_TRUE(rows.complete());
  const auto row = rows.find({token, 3});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->state, JobState::cancelled);
  EXPECT_EQ(row->array_job, 1001);
}

TEST(Sacct, AMembersOwnRowCountsBeforeItsArrays) {
  const JobRows rows = read_sacct(token + "|1001_[1-3]|CANCELLED by 0|0:0|None assigned|None|1790000060\n" + token +
                                      "|1001_0|COMPLETED|0:0|n1|1790000000|1790000060\n" + token +
                                      "|1001|PENDING|0:0||Unknown|Unknown\n",
                                  tokens);
  EXPECT_EQ(rows.find({token, 0})->state, JobState::completed);
  EXPECT_EQ(rows.find({token, 2})->state, JobState::cancelled);
  EXPECT_EQ(rows.find({token, 2})->nodes, "");
  EXPECT_EQ(rows.find({token, 9})->state, JobState::queued);
}

TEST(Sacct, AnExitBySignalHasNoExitCodeAndSignalZeroIsNone) {
  const JobRows rows = read_sacct(token + "|1001_0|FAILED|0:9|n1|1790000000|1790000060\n" + token +
                                      "|1001_1|FAILED|2:0|n1|1790000000|1790000060\n" + token +
                                      "|1001_2|FAILED|oops|n1|1790000000|1790000060\n",
                                  tokens);
  EXPECT_EQ(rows.members.at({token, 0}).signal, 9);
  EXPECT_EQ(rows.members.at({token, 0}).exit_code, std::nullopt);
  EXPECT_EQ(rows.members.at({token, 1}).signal, std::nullopt);
  EXPECT_EQ(rows.members.at({token, 1}).exit_code, 2);
  EXPECT_EQ(rows.members.at({token, 2}).exit_code, std::nullopt);
}

TEST(Sacct, ARangeThatWasCutShortIsUnread) {
  const JobRows rows = read_sacct(token + "|1001_[0-3,...]|PENDING|0:0||Unknown|Unknown\n", tokens);
  EXPECT_FALSE(rows.complete());
}

TEST(Sbatch, TheIdIsFoundAmongWhatAWrapperSays) {
  EXPECT_EQ(read_sbatch("1001\n"), 1001);
  EXPECT_EQ(read_sbatch("1001;gpucluster\n"), 1001);
  EXPECT_EQ(read_sbatch("Submitted batch job 1001 on cluster gpu\n"), 1001);
  EXPECT_EQ(read_sbatch("-----\nsbatch: verifying account... OK\n1001\nsbatch: charged to proj, 97% left\r\n"), 1001);
}

TEST(Sbatch, AnAnswerWithNoIdOrWithTwoNamesNoJob) {
  for (const char* text :
       {"", "\n", "queued\n", "0\n", "-5\n", "12 jobs left\n", "1001\n1002\n", "99999999999999999999\n"}) {
    EXPECT_EQ(read_sbatch(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace wansweep
