#include "base/standard_error.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "base/standard_streams.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

// The exit code of a child that does `work` and returns its result; -1: a signal ended it.
int in_a_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StandardErrorTest, ALineThatCannotBeWrittenIsLostAndNothingIsThrown) {
  EXPECT_EQ(in_a_child([] {
              dup2(open("/dev/full", O_WRONLY), STDERR_FILENO);
              print_error("wansweep: {}\n", "no space left");
              return 7;
            }),
            7);
}

TEST(StandardErrorTest, AReaderThatHasLeftEndsNoProgram) {
  EXPECT_EQ(in_a_child([] {
              prepare_standard_streams();
              int ends[2];
              if (pipe(ends) != 0) return 1;
              dup2(ends[1], STDERR_FILENO);
              close(ends[0]);
              print_error("wansweep: nobody reads this\n");
              return 7;
            }),
            7);
}

TEST(StandardErrorTest, NoFileIsOpenedUnderTheNumberOfAClosedStream) {
  const TemporaryDirectory directory;
  const std::string file = directory / "record.json";
  EXPECT_EQ(in_a_child([&] {
              for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(stream);
              prepare_standard_streams();
              const int record = open(file.c_str(), O_WRONLY | O_CREAT, 0666);
              print_error("wansweep: this line is lost\n");
              const bool refused = write(STDOUT_FILENO, "x", 1) < 0;
              return record > STDERR_FILENO && refused ? 7 : 1;
            }),
            7);
  EXPECT_EQ(std::ifstream(file).peek(), EOF);
}

}  // namespace
}  // namespace wansweep
