#include "orchestrator/sweep/attempt_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>

#include "tests/orchestrator/sweep/small_sweep.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class AttemptFolderTest : public testing::Test {
 protected:
  // An attempt on Slurm, as it is after its submission.
  Attempt submit(int repeat) {
    return AttemptFolder(sweep_.path()).create("s", sweep_.configuration(), repeat, SubmissionPlace{"ws-1", 0});
  }

  // Expects that repeat 1 is blocked, with a line that contains `part`, and that repeat 2 is not.
  void expect_only_the_first_blocked(const std::string& part) {
    SCOPED_TRACE(part);
    AttemptFolder folder(sweep_.path());
    ASSERT_EQ(folder.problems().size(), 1u);
    EXPECT_NE(folder.problems()[0].find(part), std::string::npos) << folder.problems()[0];
    ASSERT_NE(folder.block_of(sweep_.run(1)), nullptr);
    EXPECT_EQ(folder.block_of(sweep_.run(2)), nullptr);
    EXPECT_NE(folder.newest_of(sweep_.run(2)), nullptr);
    expect_error(ExitCode::bad_input, "move the folder away when nothing of the attempt runs",
                 [&] { folder.create("s", sweep_.configuration(), 1); });
    EXPECT_FALSE(fs::exists(sweep_.folder(1, 2)));
  }

  SmallSweep sweep_;
};

TEST_F(AttemptFolderTest, ARecordThatCannotBeReadBlocksItsRunAndNoOther) {
  submit(1);
  submit(2);
  const std::string record = sweep_.folder(1, 1) + "/attempt.json";
  const std::string text = "{\"run\": ";
  write_text(record, "");
  expect_only_the_first_blocked("attempt.json: is not JSON");
  write_text(record, text);
  expect_only_the_first_blocked("attempt.json: is not JSON");
  write_text(record, "{}");
  expect_only_the_first_blocked("attempt.json: is not an attempt's record");
  fs::remove(record);
  fs::create_symlink(record, record);
  expect_only_the_first_blocked("attempt.json: cannot be read");
  fs::remove(record);
  ASSERT_EQ(mkfifo(record.c_str(), 0600), 0);
  expect_only_the_first_blocked("attempt.json: is not a regular file");
  fs::remove(record);
  fs::create_symlink("/dev/zero", record);
  expect_only_the_first_blocked("attempt.json: is not a regular file");
}

TEST_F(AttemptFolderTest, SettingsThatCannotBeReadBlockTheirRunAndNoOther) {
  submit(1);
  submit(2);
  const std::string record = sweep_.folder(1, 1) + "/spec.json";
  write_text(record, "{\"steps\": ");
  expect_only_the_first_blocked("spec.json: is not JSON");
  fs::remove(record);
  ASSERT_EQ(mkfifo(record.c_str(), 0600), 0);
  expect_only_the_first_blocked("spec.json: is not a regular file");
}

TEST_F(AttemptFolderTest, AStateThatCannotBeReadIsNoState) {
  submit(1);
  submit(2);
  for (const char* text : {"", "{}", R"({"state": "finished"})", R"({"state": 3})"}) {
    write_text(sweep_.folder(1, 1) + "/state.json", text);
    expect_only_the_first_blocked("state.json");
  }
}

TEST_F(AttemptFolderTest, AnEntryThatIsNoFolderFailsAlone) {
  submit(2);
  const std::string folder = sweep_.folder(1, 1);
  fs::create_symlink(folder, folder);
  expect_only_the_first_blocked("cannot be read");
  fs::remove(folder);
  const std::string other = sweep_.folder(2, 1);
  fs::copy(other, folder, fs::copy_options::recursive);
  expect_only_the_first_blocked("not of this folder's");
}

TEST_F(AttemptFolderTest, AStartWithoutARecordBlocksAndAFolderWithoutEitherDoesNot) {
  submit(1);
  submit(2);
  fs::remove(sweep_.folder(1, 1) + "/attempt.json");
  const AttemptFolder cut_off(sweep_.path());
  EXPECT_EQ(cut_off.block_of(sweep_.run(1)), nullptr) << "it was cut off before anything started";
  EXPECT_EQ(cut_off.newest_of(sweep_.run(1)), nullptr);
  for (const char* sign : {"claim", "job.json", "pid.json", "failure.json"}) {
    write_text(sweep_.folder(1, 1) + '/' + sign, "");
    expect_only_the_first_blocked(sign);
    fs::remove(sweep_.folder(1, 1) + '/' + sign);
  }
}

TEST_F(AttemptFolderTest, WhatCannotBeListedIsNotEmpty) {
  fs::remove(sweep_.path() + "/attempts");
  EXPECT_TRUE(AttemptFolder(sweep_.path()).newest().empty());
  write_text(sweep_.path() + "/attempts", "a file");
  expect_error(ExitCode::bad_input, "attempts: cannot be listed", [&] { AttemptFolder(sweep_.path()); });
}

TEST_F(AttemptFolderTest, ANewAttemptGetsTheNextNumberWhateverTheLastOneIs) {
  EXPECT_EQ(submit(1).number, 1);
  fs::create_directory(sweep_.folder(1, 7));
  EXPECT_EQ(submit(1).number, 8);
  AttemptFolder folder(sweep_.path());
  EXPECT_EQ(folder.create("s", sweep_.configuration(), 1).number, 9);
  EXPECT_EQ(folder.create("s", sweep_.configuration(), 1).number, 10);
  EXPECT_EQ(AttemptFolder(sweep_.path()).newest_of(sweep_.run(1))->number, 10);
}

TEST_F(AttemptFolderTest, NamesAreReadFromTheirEnd) {
  EXPECT_EQ(parse_attempt_name("r4-a3-1-a12")->run, "r4-a3-1");
  EXPECT_EQ(parse_attempt_name("r4-a3-1-a12")->number, 12);
  for (const char* name : {"r4", "-a1", "r4-a", "r4-ax", "r4-a1x", "r4-a9999999999"}) {
    EXPECT_FALSE(parse_attempt_name(name)) << name;
  }
}

// Processor time of this process, in seconds.
double seconds_for(const SmallSweep& sweep, int first, int count) {
  AttemptFolder folder(sweep.path());
  const std::clock_t before = std::clock();
  for (int repeat = first; repeat < first + count; ++repeat) folder.create("s", sweep.configuration(), repeat);
  return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
}

// Making an attempt once read all that there were already: 8,000 runs took 38 s.
TEST_F(AttemptFolderTest, AnAttemptTakesAsLongAmongThousandsAsAmongNone) {
  const double among_none = seconds_for(sweep_, 1, 300);
  for (int repeat = 1001; repeat <= 9000; ++repeat) fs::create_directory(sweep_.folder(repeat, 1));
  const double among_thousands = seconds_for(sweep_, 301, 300);
  EXPECT_LT(among_thousands, 3 * among_none + 0.1);
}

}  // namespace
}  // namespace wansweep
