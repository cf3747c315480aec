// Writing to the output that a person names: a file is replaced, a link is followed, anything else is written into.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(WriteOutputFile, ANewFileIsMadeAndAnOldOneReplaced) {
  const TemporaryDirectory folder;
  EXPECT_EQ(write_output_file(folder / "a", "one"), OutputKind::file);
  EXPECT_EQ(write_output_file(folder / "a", "two"), OutputKind::file);
  EXPECT_EQ(content(folder / "a"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(WriteOutputFile, ALinkIsFollowedAndStays) {
  const TemporaryDirectory folder;
  write_text(folder / "target", "keep");
  fs::create_symlink("target", folder / "link");
  fs::create_symlink("not-yet", folder / "ahead");
  write_output_file(folder / "link", "new");
  write_output_file(folder / "ahead", "made");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_TRUE(fs::is_symlink(folder / "ahead"));
  EXPECT_EQ(content(folder / "target"), "new");
  EXPECT_EQ(content(folder / "not-yet"), "made");
}

TEST(WriteOutputFile, APipesReaderGetsTheText) {
  const TemporaryDirectory folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = content(folder / "pipe"); });
  EXPECT_EQ(write_output_file(folder / "pipe", "text"), OutputKind::stream);
  reader.join();
  EXPECT_EQ(got, "text");
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
}

TEST(WriteOutputFile, ADeviceIsWrittenIntoAndItsErrorIsReported) {
  const TemporaryDirectory folder;
  fs::create_symlink("/dev/null", folder / "null");
  EXPECT_EQ(write_output_file(folder / "null", "text"), OutputKind::stream);
  EXPECT_TRUE(fs::is_symlink(folder / "null"));
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  expect_error(ExitCode::output, "No space left", [] { write_output_file("/dev/full", "text"); });
}

// `{ echo before; wansweep report -o /dev/stdout; } > file` keeps what was before.
TEST(WriteOutputFile, StandardOutputKeepsWhatWasWrittenBeforeUnderEachOfItsNames) {
  const TemporaryDirectory folder;
  const std::string file = write_text(folder / "out", "before ");
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  const int out = open(file.c_str(), O_WRONLY | O_APPEND);
  ASSERT_GE(dup2(out, STDOUT_FILENO), 0);
  const OutputKind kind = write_output_file("/proc/self/fd/1", "after");
  dup2(saved, STDOUT_FILENO);
  close(saved);
  close(out);
  EXPECT_EQ(kind, OutputKind::stream);
  EXPECT_EQ(content(file), "before after");
}

TEST(WriteOutputFile, ADirectoryIsRefused) {
  const TemporaryDirectory folder;
  expect_error(ExitCode::output, "is a directory", [&] { write_output_file(folder.path(), "x"); });
  expect_error(ExitCode::output, "none", [&] { write_output_file(folder / "none/x", "x"); });
}

}  // namespace
}  // namespace wansweep
