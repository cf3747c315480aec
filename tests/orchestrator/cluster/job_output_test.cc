#include "orchestrator/cluster/job_output.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

class JobOutput : public testing::Test {
 protected:
  JobOutput() {
    submission_.directory = directory_.path();
    attempt_.directory = directory_ / "attempt";
    std::filesystem::create_directory(attempt_.directory);
  }
  std::string words(const std::string& output) {
    write_text(job_output_file(submission_, 0), output);
    return last_words(attempt_, submission_);
  }

  TemporaryDirectory directory_;
  Submission submission_;
  Attempt attempt_;
};

TEST_F(JobOutput, WhatTheSiteSaidAndWhatTheScriptMadeOfItExplainAJobWithoutAWorker) {
  EXPECT_EQ(words("Lmod: unknown module GCC/99\n\n---\nwansweep: module load GCC/99 failed (exit code 1)\n"),
            "Lmod: unknown module GCC/99; module load GCC/99 failed (exit code 1)");
  EXPECT_EQ(words("wansweep: the attempt is taken\n"), "the attempt is taken");
  EXPECT_EQ(words("bash: line 12: FOO: unbound variable\n"), "bash: line 12: FOO: unbound variable");
  EXPECT_EQ(words(""), "");
}

TEST_F(JobOutput, TheWorkersOwnWordsComeFirst) {
  write_text(attempt_.directory + "/stderr.log", "wansweep-worker: the arena is full\n");
  EXPECT_EQ(words("loading modules\n"), "wansweep-worker: the arena is full");
  EXPECT_EQ(words("wansweep: Slurm requeued this job (restart 1)\n"),
            "wansweep-worker: the arena is full; Slurm requeued this job (restart 1)");
}

TEST_F(JobOutput, APipeInItsPlaceIsNotWaitedFor) {
  ASSERT_EQ(mkfifo(job_output_file(submission_, 0).c_str(), 0600), 0);
  EXPECT_EQ(last_words(attempt_, submission_), "");
  EXPECT_FALSE(was_killed_for_memory(attempt_, submission_));
}

TEST_F(JobOutput, OnlyTheEndOfALongOneIsRead) {
  const std::string filler(1 << 20, 'x');
  EXPECT_EQ(words(filler + "\nthe end\n"), "the end");
}

}  // namespace
}  // namespace wansweep
