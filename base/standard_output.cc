#include "base/standard_output.h"

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/standard_error.h"

namespace wansweep {
namespace {

[[noreturn]] void fail() {
  throw Error(ExitCode::output, fmt::format("standard output cannot be written: {}", error_text(errno)));
}

}  // namespace

void write_standard_output(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail();
  flush_standard_output();
}

void flush_standard_output() {
  if (std::fflush(stdout) != 0) fail();
}

int finish_standard_output(const char* program, int exit_code) {
  // The reason of an earlier failure is lost, unless the next write fails too. The code that saw it has reported it.
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  const bool failed_now = std::fflush(stdout) != 0;
  int reason = errno;
  const bool unflushed = failed_now || failed_before;
  errno = 0;
  // A network file system may report a lost write at close. Output that was closed from the start and never used is
  // fine.
  const bool unclosed = std::fclose(stdout) != 0 && errno != EBADF;
  if (!unflushed && !unclosed) return exit_code;
  if (failed_before && exit_code == static_cast<int>(ExitCode::output)) return exit_code;
  if (reason == 0) reason = errno;
  print_error("{}: standard output cannot be written{}\n", program,
              reason != 0 ? ": " + error_text(reason) : std::string());
  return exit_code != 0 ? exit_code : static_cast<int>(ExitCode::output);
}

}  // namespace wansweep
