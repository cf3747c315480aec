#include "orchestrator/sweep/launcher_exit.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/files.h"
#include "schema/completion.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

class LauncherExitTest : public testing::Test {
 protected:
  LauncherExit of(int exit_code) const { return read_launcher_exit(attempt_.path(), exit_code); }
  void on_standard_error(const std::string& text) const { write_text(attempt_ / "stderr.log", text); }
  static std::string mpirun_noticed(int signal) {
    return fmt::format(
        "---\nmpirun noticed that process rank 3 with PID 0 on node n6 exited on signal {} (Its name).\n---\n", signal);
  }

  TemporaryDirectory attempt_;
};

// How mpirun of Open MPI 4.1 ends, and what it writes, when a rank on another node got a signal.
TEST_F(LauncherExitTest, ASignalWhoseNumberIsOneOfOurCodesIsASignal) {
  for (const int signal : {SIGHUP, SIGINT, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM}) {
    ASSERT_NE(find_exit_code(signal), nullptr) << signal;
    on_standard_error(mpirun_noticed(signal));
    EXPECT_EQ(of(signal).signal, signal);
    EXPECT_EQ(of(signal).exit_code, std::nullopt);
  }
}

TEST_F(LauncherExitTest, WithoutALineOfMpirunTheExitCodeIsTheWorkers) {
  EXPECT_EQ(of(11).exit_code, 11) << "no standard error";
  on_standard_error("wansweep-worker: host memory: too little\nmpirun detected ... exit code: 11\n");
  EXPECT_EQ(of(11).exit_code, 11);
  EXPECT_EQ(of(11).signal, std::nullopt);
  on_standard_error("wansweep-worker: a step exited on signal 11\n");
  EXPECT_EQ(of(11).exit_code, 11) << "not mpirun's line";
}

TEST_F(LauncherExitTest, AWorkerThatLeftAFailureRecordWasNotEndedByASignal) {
  on_standard_error(mpirun_noticed(SIGTERM));  // the signal of a peer, after which mpirun stopped this rank
  write_failure(attempt_.path(), {1, 10, "rank 1: the arena is full", timestamp_now()});
  EXPECT_EQ(of(10).exit_code, 10);
  EXPECT_EQ(of(10).signal, std::nullopt);
}

TEST_F(LauncherExitTest, AShellsCodeForASignalIsTheSignal) {
  EXPECT_EQ(of(128 + SIGSEGV).signal, SIGSEGV);
  EXPECT_EQ(of(128 + SIGKILL).exit_code, std::nullopt);
  EXPECT_EQ(of(255).exit_code, 255);
  EXPECT_EQ(of(127).exit_code, 127);
  EXPECT_EQ(of(0).exit_code, 0);
}

}  // namespace
}  // namespace wansweep
