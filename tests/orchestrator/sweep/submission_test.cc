#include "orchestrator/sweep/submission.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class SubmissionTest : public testing::Test {
 protected:
  std::string folder(const std::string& token) const { return directory_ / "submissions/" + token; }

  void intend(const std::string& token, int64_t created_at) const {
    Submission submission;
    submission.token = token;
    submission.directory = folder(token);
    submission.created_at = created_at;
    submission.members = {"r1-a1"};
    submission.worker = "/bin/true";
    submission.profile = read_profile("local-test");
    write_intent(submission, "#!/bin/bash\n");
  }

  TemporaryDirectory directory_;
};

TEST_F(SubmissionTest, OneThatCannotBeReadHidesNoOther) {
  EXPECT_TRUE(read_submissions(directory_.path()).known.empty());
  intend("ws-b", 1);
  intend("ws-a", 2);
  intend("ws-c", 3);
  intend("ws-d", 4);
  write_text(folder("ws-c") + "/intent.json", "");
  write_text(folder("ws-d") + "/outcome.json", "{");
  fs::create_directory(folder("ws-e"));
  fs::create_symlink(folder("ws-f"), folder("ws-f"));
  const Submissions read = read_submissions(directory_.path());
  ASSERT_EQ(read.known.size(), 2u);
  EXPECT_EQ(read.known[0].token, "ws-b");
  EXPECT_EQ(read.known[1].token, "ws-a");
  EXPECT_EQ(read.unreadable.size(), 3u);
  EXPECT_TRUE(read.is_unreadable("ws-c"));
  EXPECT_TRUE(read.is_unreadable("ws-d"));
  EXPECT_TRUE(read.is_unreadable("ws-f"));
  EXPECT_FALSE(read.is_unreadable("ws-e")) << "without an intent, sbatch never ran";
}

TEST_F(SubmissionTest, AnIntentOfAnotherFolderIsNotBelieved) {
  intend("ws-a", 1);
  fs::rename(folder("ws-a"), folder("ws-b"));
  EXPECT_TRUE(read_submissions(directory_.path()).is_unreadable("ws-b"));
}

TEST_F(SubmissionTest, WhatCannotBeListedIsNotEmpty) {
  write_text(directory_ / "submissions", "a file");
  expect_error(ExitCode::bad_input, "cannot be listed", [&] { read_submissions(directory_.path()); });
}

TEST_F(SubmissionTest, TheFirstStartedFileTellsTheJob) {
  intend("ws-a", 1);
  const Submission submission = read_submissions(directory_.path()).known.at(0);
  EXPECT_EQ(started_job(submission), std::nullopt);
  for (const char* name : {"started.12", "started.9", "started.", "started.x", "started.3x"}) {
    write_text(folder("ws-a") + '/' + name, "");
  }
  EXPECT_EQ(started_job(submission), 9);
}

}  // namespace
}  // namespace wansweep
