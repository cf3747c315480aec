// What a person sees who starts the worker by hand. mpirun runs on a pseudo-terminal.
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/shell_quote.h"
#include "tests/end_to_end/worker_run.h"

namespace wansweep::test {
namespace {

// Returns all that the shell command writes to its terminal. Its exit code must be 0.
std::string on_a_terminal(const std::string& command) {
  int terminal = -1;
  const pid_t shell = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (shell == 0) {
    setenv("TERM", "xterm", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  std::string seen;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(terminal, buffer, sizeof buffer)) > 0;) seen.append(buffer, static_cast<size_t>(n));
  int status = -1;
  waitpid(shell, &status, 0);
  close(terminal);
  EXPECT_EQ(status, 0) << seen;
  return seen;
}

std::string worker_command(const std::string& more = "") {
  std::string command = std::string("mpirun --quiet --oversubscribe ") +
                        (geteuid() == 0 ? "--allow-run-as-root " : "") + "-n 2 " +
                        shell_word(WANSWEEP_BIN_DIR "/wansweep-worker");
  for (const std::string& word : reference_arguments("shift12")) command += " " + shell_word(word);
  return command + " " + more + " --out " + shell_word(make_directory("terminal"));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Terminal, SeesWhatTheWorkerDoesAndALineThatCountsSteps) {
  const std::string seen = on_a_terminal(worker_command());
  for (const char* part :
       {"\rwarming up ...", "\rloading weights ...", "\rstep 5 of 27, ", " s a step, ", "27 steps in "}) {
    EXPECT_TRUE(has(seen, part)) << part << " in " << seen;
  }
}

TEST(Terminal, APipeGetsPlainLinesThoughMpirunGivesRanksATerminal) {
  const std::string seen = on_a_terminal(worker_command() + " | cat");
  EXPECT_FALSE(has(seen, "\x1b")) << seen;
  EXPECT_FALSE(has(seen, "step 5 of 27")) << "in less than ten seconds there is no line: " << seen;
  EXPECT_TRUE(has(seen, "27 steps in ")) << seen;
}

TEST(Terminal, QuietSaysNothing) { EXPECT_EQ(on_a_terminal(worker_command("--quiet")), ""); }

}  // namespace
}  // namespace wansweep::test
