#include "orchestrator/cluster/job_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "base/files.h"

namespace wansweep {
namespace {

constexpr std::string_view script_mark = "wansweep: ";
constexpr off_t most_bytes = 256 * 1024;

// The last part of the file; empty when there is no such file. Never waits: a pipe or a device is not read.
std::string read_tail(const std::string& file) {
  const FileDescriptor fd(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  off_t at = std::max<off_t>(0, status.st_size - most_bytes);
  std::string text(static_cast<size_t>(status.st_size - at), '\0');
  const ssize_t got = pread(fd.get(), text.data(), text.size(), at);
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, got)));
  return text;
}

bool says_nothing(const std::string& line) { return line.find_first_not_of("-= \t\r") == std::string::npos; }

}  // namespace

std::string job_output_file(const Submission& submission, int index) {
  return fmt::format("{}/slurm-{}.out", submission.directory, index);
}

JobOutputEnd end_of_job_output(const std::string& file) {
  JobOutputEnd end;
  std::istringstream lines(read_tail(file));
  for (std::string line; std::getline(lines, line);) {
    if (says_nothing(line)) continue;
    if (line.starts_with(script_mark)) {
      end.script = line.substr(script_mark.size());
    } else {
      end.said = line;
      end.script.clear();
    }
  }
  return end;
}

std::string last_words(const Attempt& attempt, const Submission& submission) {
  std::string words = failure_line(attempt.directory);
  const JobOutputEnd end = end_of_job_output(job_output_file(submission, attempt.index));
  if (words.empty()) words = end.said;
  if (end.script.empty()) return words;
  return words.empty() ? end.script : fmt::format("{}; {}", words, end.script);
}

bool was_killed_for_memory(const Attempt& attempt, const Submission& submission) {
  for (const std::string& file : {job_output_file(submission, attempt.index), attempt.directory + "/stderr.log"}) {
    std::istringstream lines(read_tail(file));
    for (std::string line; std::getline(lines, line);) {
      const bool limit = line.find("xceeded ") != std::string::npos && line.find("memory limit") != std::string::npos;
      if (limit && line.starts_with("slurmstepd")) return true;
    }
  }
  return false;
}

}  // namespace wansweep
