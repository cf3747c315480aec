#include "orchestrator/sweep/sweep_lock.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace {

bool has_flock = true;

}  // namespace

// Replaces the C library's flock: a file system without flock answers ENOSYS.
extern "C" int flock(int fd, int operation) noexcept {
  if (has_flock) return static_cast<int>(syscall(SYS_flock, fd, operation));
  errno = ENOSYS;
  return -1;
}

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class SweepLockTest : public testing::TestWithParam<bool> {
 protected:
  SweepLockTest() { has_flock = GetParam(); }
  ~SweepLockTest() override { has_flock = true; }

  std::string held() const { return directory_ / "lock.held"; }
  void expect_busy(const std::string& part) const {
    expect_error(ExitCode::store_busy, part, [&] { SweepLock(directory_.path()); });
  }

  TemporaryDirectory directory_;
};

TEST_P(SweepLockTest, OneAtATimeAndItsHolderIsNamed) {
  {
    const SweepLock lock(directory_.path());
    expect_busy(fmt::format("{}", getpid()));
  }
  const SweepLock again(directory_.path());
}

TEST_P(SweepLockTest, ALinkIsNotFollowed) {
  const std::string target = write_text(directory_ / "precious", "text");
  fs::create_symlink(target, directory_ / "lock");
  expect_error(ExitCode::output, "is a symbolic link", [&] { SweepLock(directory_.path()); });
  fs::remove(directory_ / "lock");
  fs::create_hard_link(target, directory_ / "lock");
  expect_error(ExitCode::output, "is a hard link", [&] { SweepLock(directory_.path()); });
  EXPECT_EQ(read_text(target), "text");
}

TEST_P(SweepLockTest, WhatADeadProcessOfThisHostHeldIsTakenOver) {
  const pid_t child = fork();
  if (child == 0) {
    has_flock = false;
    new SweepLock(directory_.path());  // never released
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(fs::exists(held()));
  { const SweepLock lock(directory_.path()); }
  EXPECT_EQ(fs::exists(held()), GetParam()) << "without flock it was taken over, and released";
  const SweepLock again(directory_.path());
}

TEST_P(SweepLockTest, WhatAnotherHostHoldsStaysItsOwn) {
  write_text(held(), R"({"host": "elsewhere", "boot": "x", "pid": 1, "start": 1})");
  expect_busy("elsewhere");
  EXPECT_TRUE(fs::exists(held()));
  for (const char* text : {"", "{}", "{\"host\": 3}", "no JSON"}) {
    write_text(held(), text);
    expect_busy("if that process has ended, remove");
  }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutFlock, SweepLockTest, testing::Bool());

}  // namespace
}  // namespace wansweep
