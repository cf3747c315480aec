// Directories that only this user writes into.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class OwnDirectory : public testing::Test {
 protected:
  OwnDirectory() : before_(umask(0)) {}
  ~OwnDirectory() override { umask(before_); }

  TemporaryDirectory directory_;
  std::string own_ = directory_ / "own";

 private:
  mode_t before_;
};

TEST_F(OwnDirectory, IsClosedToTheWritesOfOthersWhateverTheUmaskSays) {
  make_own_directory(own_);
  EXPECT_EQ(fs::status(own_).permissions(), fs::perms(0755));
  check_own_directory(own_);
}

TEST_F(OwnDirectory, APathThatExistsAlreadyIsRefused) {
  fs::create_directory(directory_ / "victim");
  fs::create_symlink(directory_ / "victim", own_);
  expect_error(ExitCode::output, "File exists", [&] { make_own_directory(own_); });
}

TEST_F(OwnDirectory, ADirectoryThatAnotherUserCouldReplaceOrWriteIsRefused) {
  expect_error(ExitCode::output, "No such file", [&] { check_own_directory(own_); });
  make_own_directory(own_);
  fs::permissions(own_, fs::perms(0775));
  expect_error(ExitCode::output, "can be written by others", [&] { check_own_directory(own_); });
  fs::remove(own_);
  fs::create_symlink(directory_.path(), own_);
  expect_error(ExitCode::output, "is a symbolic link", [&] { check_own_directory(own_); });
}

}  // namespace
}  // namespace wansweep
