// Programs are started from an argument vector, with their output in memory and a deadline. A program that does not end
// in time is killed with all its children. Their output is parsed elsewhere (job_rows.h, node_list.h); this file
// decides what an exit code, a timeout or an error message means.

#include "slurm/client.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/printable.h"
#include "base/process.h"
#include "slurm/node_list.h"

namespace wansweep {
namespace {

// A file in memory for standard output or error, so that none is left behind.
class Capture {
 public:
  Capture() : fd_(memfd_create("wansweep", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(ExitCode::internal, "cannot make a file in memory for a command's output");
  }
  ~Capture() { close(fd_); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }
  std::string text() const {
    std::string all;
    std::array<char, 65536> buffer;
    off_t at = 0;
    for (ssize_t got; (got = pread(fd_, buffer.data(), buffer.size(), at)) > 0; at += got) {
      all.append(buffer.data(), static_cast<size_t>(got));
    }
    return all;
  }

 private:
  int fd_;
};

std::string last_line(const std::string& text) {
  std::istringstream stream(text);
  std::string last;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

std::string problem_of(const char* program, const CommandResult& result, int64_t timeout) {
  if (result.timed_out) return fmt::format("{} did not answer within {} s", program, timeout);
  const std::string said = last_line(result.err);
  return fmt::format("{} failed: {}", program,
                     said.empty() ? fmt::format("exit code {}", result.exit_code) : printable(said));
}

// Whether the controller did not answer, or its answer was lost: it may still have carried out the request.
bool is_silence(const CommandResult& result) {
  if (result.timed_out || result.exit_code < 0) return true;
  for (const char* words : {"Socket timed out", "Unable to contact", "connect failure", "receive"}) {
    if (result.err.find(words) != std::string::npos) return true;
  }
  return false;
}

std::string joined(const std::vector<std::string>& tokens) { return fmt::format("{}", fmt::join(tokens, ",")); }

// The beginning of a program's output, as one line of bounded length.
std::string quoted(const std::string& text) {
  constexpr size_t most = 200;
  std::string shown = printable(text.substr(0, text.find_last_not_of(" \n") + 1));
  if (shown.size() > most) shown = shown.substr(0, most) + "...";
  return '"' + shown + '"';
}

}  // namespace

CommandResult SlurmClient::run(std::vector<std::string> arguments) {
  ++calls_;
  Capture out, err;
  if (!cluster_.empty()) arguments.insert(arguments.begin() + 1, "--clusters=" + cluster_);
  Command command;
  command.arguments = std::move(arguments);
  command.without = {"SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "SCONTROL_"};
  command.keep = {"SLURM_CONF"};
  command.environment = {{"SLURM_TIME_FORMAT", "%s"}, {"SLURM_BITSTR_LEN", "0"}, {"LC_ALL", "C"}};
  command.stdout_file = out.path();
  command.stderr_file = err.path();
  const pid_t pid = spawn(command);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_);
  CommandResult result;
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      result.timed_out = true;
      kill_tree(pid);
      waitpid(pid, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (!result.timed_out && WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  result.out = out.text();
  result.err = err.text();
  return result;
}

SubmitAnswer SlurmClient::submit(const std::string& script, const std::string& directory) {
  const CommandResult result = run({"sbatch", "--parsable", "--chdir=" + directory, script});
  const std::optional<int64_t> job = read_sbatch(result.out);
  if (result.exit_code == 0 && job) return {SubmitAnswer::Kind::accepted, *job, ""};
  SubmitAnswer answer;
  answer.message = result.exit_code == 0 ? fmt::format("sbatch printed {}, which holds no job id", quoted(result.out))
                                         : problem_of("sbatch", result, timeout_);
  // Only a clear refusal counts. A controller that did not answer in time may have the job, and so may one whose answer
  // a wrapper around sbatch garbled.
  const bool said_no = result.err.find("Batch job submission failed") != std::string::npos;
  const bool bad_option = result.err.find("sbatch: error: ") != std::string::npos;
  if (result.exit_code > 0 && !job && (said_no || bad_option) && !is_silence(result))
    answer.kind = SubmitAnswer::Kind::refused;
  return answer;
}

JobRows SlurmClient::queue(const std::vector<std::string>& tokens) {
  const CommandResult result = run({"squeue", "--noheader", "--array", "--states=all", "--name=" + joined(tokens),
                                    fmt::format("--Format={}", squeue_format)});
  if (result.exit_code == 0) return read_squeue(result.out, tokens);
  JobRows rows;
  rows.problem = problem_of("squeue", result, timeout_);
  return rows;
}

JobRows SlurmClient::accounting(const std::vector<std::string>& tokens, int64_t since) {
  const std::time_t start = since;
  std::tm local{};
  localtime_r(&start, &local);
  std::array<char, 32> from{};
  std::strftime(from.data(), from.size(), "%Y-%m-%dT%H:%M:%S", &local);
  const CommandResult result =
      run({"sacct", "-X", "-P", "--noheader", "--name=" + joined(tokens), "-S", from.data(), "-o", sacct_format});
  if (result.exit_code == 0) return read_sacct(result.out, tokens);
  JobRows rows;
  rows.problem = problem_of("sacct", result, timeout_);
  return rows;
}

CancelAnswer SlurmClient::cancel(const std::vector<std::string>& jobs) {
  std::vector<std::string> arguments{"scancel"};
  arguments.insert(arguments.end(), jobs.begin(), jobs.end());
  const CommandResult result = run(arguments);
  if (result.exit_code == 0) return {};
  return {!is_silence(result), problem_of("scancel", result, timeout_)};
}

CommandResult SlurmClient::show_config() { return run({"scontrol", "show", "config"}); }

CommandResult SlurmClient::show_nodes(const std::string& partition) {
  std::vector<std::string> arguments{"sinfo", "--noheader", "--exact", "-o", sinfo_format};
  if (!partition.empty()) arguments.push_back("--partition=" + partition);
  return run(arguments);
}

}  // namespace wansweep
