#include "base/terminal/progress_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>

namespace wansweep {
namespace {

// A file in memory, and a clock that the test sets.
class ProgressLineTest : public testing::Test {
 protected:
  ProgressLineTest() : out_(open_memstream(&text_, &size_)) {}
  ~ProgressLineTest() override {
    std::fclose(out_);
    std::free(text_);
  }

  ProgressPace pace() {
    return {.now = [this] { return now_; }};
  }
  std::string written() {
    std::fflush(out_);
    return {text_, size_};
  }

  double now_ = 100;
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* out_;
};

TEST_F(ProgressLineTest, NothingIsShownInTheFirstTwoSeconds) {
  ProgressLine line(out_, ProgressDisplay::lines, pace());
  line.show("1 of 9");
  now_ += 1.9;
  line.show("2 of 9");
  EXPECT_EQ(written(), "");
  now_ += 0.2;
  line.show("3 of 9");
  EXPECT_EQ(written(), "3 of 9\n");
}

TEST_F(ProgressLineTest, AStreamThatCannotBeWrittenDoesNotEndTheWork) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  for (const ProgressDisplay display : {ProgressDisplay::lines, ProgressDisplay::in_place}) {
    ProgressLine line(full, display, pace());
    now_ += 3;
    EXPECT_NO_THROW(line.show("1 of 9"));
    EXPECT_NO_THROW(line.print("a line"));
  }
  EXPECT_NE(std::ferror(full), 0) << "the failure is kept for finish_standard_output()";
  std::fclose(full);
}

TEST_F(ProgressLineTest, APipeGetsALineEveryTenSeconds) {
  ProgressLine line(out_, ProgressDisplay::lines, pace());
  for (int second = 0; second < 30; ++second, now_ += 1) line.show(std::to_string(second));
  EXPECT_EQ(written(), "2\n12\n22\n");
}

TEST_F(ProgressLineTest, OnATerminalTheLineIsRewrittenAndErasedAtTheEnd) {
  {
    ProgressLine line(out_, ProgressDisplay::in_place, pace());
    now_ += 3;
    line.show("1 of 9");
    line.show("too soon");
    now_ += 0.2;
    line.show("2 of 9");
    line.print("a problem");
  }
  EXPECT_EQ(written(), "\r1 of 9\x1b[K\r2 of 9\x1b[K\r\x1b[Ka problem\n");
}

TEST_F(ProgressLineTest, ALineIsNoWiderThanTheTerminal) {
  ProgressLine line(out_, ProgressDisplay::in_place, pace());
  now_ += 3;
  line.show(std::string(500, 'x'));
  EXPECT_LT(written().size(), 100u) << "80 columns where the width is not known";
}

TEST_F(ProgressLineTest, QuietIsSilentButForLinesThatStay) {
  ProgressLine line(out_, progress_display(out_, true), pace());
  now_ += 3;
  line.show("1 of 9");
  line.sink("wansweep")("reading attempts", 1, 9);
  EXPECT_EQ(written(), "");
  line.print("a problem");
  EXPECT_EQ(written(), "a problem\n");
}

TEST_F(ProgressLineTest, ASinkNamesTheProgramAndWhatItDoes) {
  ProgressLine line(out_, ProgressDisplay::lines, pace());
  const ProgressSink sink = line.sink("wansweep");
  now_ += 3;
  sink("reading attempts", 120, 500);
  EXPECT_EQ(written(), "wansweep: reading attempts: 120 of 500\n");
}

TEST(ProgressDisplay, APipeIsNoTerminalAndAPseudoTerminalIs) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::FILE* pipe_end = fdopen(ends[1], "w");
  EXPECT_EQ(progress_display(pipe_end), ProgressDisplay::lines);
  std::fclose(pipe_end);
  close(ends[0]);

  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(grantpt(master), 0);
  ASSERT_EQ(unlockpt(master), 0);
  std::FILE* terminal = std::fopen(ptsname(master), "w");
  ASSERT_NE(terminal, nullptr);
  setenv("TERM", "xterm", 1);
  EXPECT_EQ(progress_display(terminal), ProgressDisplay::in_place);
  setenv("TERM", "dumb", 1);
  EXPECT_EQ(progress_display(terminal), ProgressDisplay::lines);
  std::fclose(terminal);
  close(master);
}

}  // namespace
}  // namespace wansweep
