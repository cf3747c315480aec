#include "worker/failure_report.h"

#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "base/standard_error.h"
#include "schema/completion.h"

namespace wansweep {

void report_failure(const std::string& out, int rank, ExitCode code, const std::string& line) {
  print_error("wansweep-worker: {}\n", line);
  std::error_code error;
  if (out.empty() || !std::filesystem::is_directory(out, error)) return;
  try {
    write_failure(out, {rank, static_cast<int>(code), line, timestamp_now()});
  } catch (const Error&) {
    // The record cannot be written; standard error has the line.
  }
}

}  // namespace wansweep
