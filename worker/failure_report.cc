#include "worker/failure_report.h"

#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "schema/completion.h"

namespace wansweep {

void report_failure(const std::string& out, int rank, ExitCode code, const std::string& line) {
  std::cerr << fmt::format("wansweep-worker: {}\n", line) << std::flush;
  std::error_code error;
  if (out.empty() || !std::filesystem::is_directory(out, error)) return;
  try {
    write_failure(out, {rank, static_cast<int>(code), line, timestamp_now()});
  } catch (const Error&) {
    // The record cannot be written; standard error has the line.
  }
}

}  // namespace wansweep
