#include "worker/watchdog.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>

#include "tests/support/nap.h"

namespace wansweep {
namespace {

// A process in place of another rank, stopped from the start.
class StoppedProcess {
 public:
  StoppedProcess() : pid_(fork()) {
    if (pid_ == 0) {
      for (;;) pause();
    }
    kill(pid_, SIGSTOP);
    waitpid(pid_, nullptr, WUNTRACED);
  }
  ~StoppedProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

class WatchdogTest : public testing::Test {
 protected:
  static Heartbeats of_two(const std::shared_ptr<void>& memory, int own) { return {memory, 2, own, own}; }

  Watchdog::EndRun end_run() {
    return [this](const Stall& stall, bool speaks) {
      speaks_ = speaks;
      stall_.set_value(stall);
    };
  }

  std::shared_ptr<void> memory_{std::calloc(1, static_cast<size_t>(Heartbeats::bytes_for(2))), std::free};
  std::promise<Stall> stall_;
  std::future<Stall> stalled_ = stall_.get_future();
  std::atomic<bool> speaks_ = false;
};

bool is_ready(const std::future<Stall>& stalled, std::chrono::milliseconds patience) {
  return stalled.wait_for(patience) == std::future_status::ready;
}

TEST_F(WatchdogTest, EndsARunWhoseRankIsStoppedAndNamesIt) {
  const StoppedProcess other;
  const Heartbeats mine = of_two(memory_, 0);
  Heartbeat& theirs = mine.of_node()[1];
  theirs.rank = 1;
  theirs.process = other.pid();
  Watchdog dog(mine, 2, 0.5, end_run());
  dog.begin_steps(0);
  ASSERT_TRUE(is_ready(stalled_, std::chrono::seconds(10)));
  const Stall stall = stalled_.get();
  EXPECT_EQ(stall.rank, 1);
  EXPECT_NE(stall.line.find("has been stopped by a signal"), std::string::npos) << stall.line;
  EXPECT_TRUE(speaks_);
  EXPECT_FALSE(mine.may_speak()) << "one speaks for the node";
}

TEST_F(WatchdogTest, LetsARunGoOnAsLongAsItsStepsEnd) {
  const Heartbeats mine({memory_, 1, 0, 0});
  Watchdog dog(mine, 1, 1, end_run());
  dog.begin_steps(0);
  for (int step = 1; step <= 10; ++step) {
    nap(200);
    dog.step_ended();
  }
  EXPECT_FALSE(is_ready(stalled_, std::chrono::milliseconds(0)));
  dog.end_steps();
  EXPECT_FALSE(is_ready(stalled_, std::chrono::milliseconds(1500))) << "the steps are over";
}

TEST(StepLimit, IsTheSettingOrTenTimesTheSlowestStep) {
  EXPECT_EQ(step_limit_s(3, 100), 3);
  EXPECT_EQ(step_limit_s(0, 0), 600) << "at least";
  EXPECT_EQ(step_limit_s(0, 100), 1000);
}

TEST_F(WatchdogTest, ByDefaultAFewSecondsAreNoStall) {
  Watchdog dog({memory_, 1, 0, 0}, 1, 0, end_run());
  dog.begin_steps(0);
  EXPECT_FALSE(is_ready(stalled_, std::chrono::milliseconds(2500)));
}

}  // namespace
}  // namespace wansweep
