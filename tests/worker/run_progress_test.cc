#include "worker/run_progress.h"

#include <gtest/gtest.h>

namespace wansweep {
namespace {

class RunProgressTest : public testing::Test {
 protected:
  RunProgressTest() : out_(open_memstream(&text_, &size_)) {}
  ~RunProgressTest() override {
    std::fclose(out_);
    std::free(text_);
  }
  // A run of three steps of 6 s.
  std::string run(ProgressDisplay display) {
    {
      RunProgress progress(out_, display, 3, [this] { return now_; });
      progress.begin("loading weights");
      now_ += 1;
      progress.print("weights in 1.0 s");
      progress.begin_steps();
      for (int step = 1; step <= 3; ++step) {
        now_ += 6;
        progress.step_ended(step);
      }
      progress.clear();
      progress.end_steps();
    }
    std::fflush(out_);
    return {text_, size_};
  }

  double now_ = 100;
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* out_;
};

TEST_F(RunProgressTest, ATerminalSeesEachPhaseAndEachStepInOneLine) {
  EXPECT_EQ(run(ProgressDisplay::in_place),
            "\rloading weights ...\x1b[K\r\x1b[Kweights in 1.0 s\n\rstep 1 of 3 ...\x1b[K"
            "\rstep 1 of 3, 6 s a step, 0:12 left\x1b[K\rstep 2 of 3, 6 s a step, 0:06 left\x1b[K"
            "\rstep 3 of 3, 6 s a step, 0:00 left\x1b[K\r\x1b[K3 steps in 18 s\n");
}

TEST_F(RunProgressTest, ALogHasALineEveryTenSeconds) {
  EXPECT_EQ(run(ProgressDisplay::lines), "weights in 1.0 s\nstep 2 of 3, 6 s a step, 0:06 left\n3 steps in 18 s\n");
}

TEST_F(RunProgressTest, QuietIsSilent) { EXPECT_EQ(run(ProgressDisplay::none), ""); }

}  // namespace
}  // namespace wansweep
