// Where the programs find the data that came with them.

#include "base/share_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

TEST(ShareFolder, IsTheSourceTreeForAProgramThatIsNotInstalled) { EXPECT_EQ(share_folder(), WANSWEEP_SOURCE_DIR); }

TEST(ShareFolder, IsWhatTheEnvironmentNamesWhereThatIsAFolder) {
  const TemporaryDirectory directory;
  setenv("WANSWEEP_SHARE", directory.path().c_str(), 1);
  EXPECT_EQ(share_folder(), directory.path());
  setenv("WANSWEEP_SHARE", (directory / "none").c_str(), 1);
  expect_error(ExitCode::bad_input, "which is not a folder", [] { share_folder(); });
  unsetenv("WANSWEEP_SHARE");
}

}  // namespace
}  // namespace wansweep
