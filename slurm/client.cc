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
#include "base/process.h"
#include "slurm/array_ids.h"

namespace wansweep {
namespace {

// Of standard output and error, in memory: no file is left behind, and none can be missing.
class Capture {
 public:
  Capture() : fd_(memfd_create("wansweep", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(ExitCode::internal, "no memory for a command's output");
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

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

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
  return fmt::format("{} failed: {}", program, said.empty() ? fmt::format("exit code {}", result.exit_code) : said);
}

std::string names_of(const std::vector<std::string>& tokens) { return fmt::format("{}", fmt::join(tokens, ",")); }

// Seconds of the epoch as Slurm prints them ("Unknown", "N/A", "None" or "0" while there is none).
std::string time_of(const std::string& text) {
  if (text.size() < 5 || text.find_first_not_of("0123456789") != std::string::npos) return "";
  const std::time_t seconds = std::stoll(text);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> buffer{};
  std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return buffer.data();
}

// What wait() gave: squeue's exit_code.
void set_wait_status(JobRow& row, const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return;
  const int status = std::stoi(text);
  if (WIFSIGNALED(status)) row.signal = WTERMSIG(status);
  if (WIFEXITED(status)) row.exit_code = WEXITSTATUS(status);
}

// "1:0", code and signal: sacct's ExitCode.
void set_exit_code(JobRow& row, const std::string& text) {
  int code = 0, signal = 0;
  if (std::sscanf(text.c_str(), "%d:%d", &code, &signal) != 2) return;
  if (signal != 0) {
    row.signal = signal;
  } else {
    row.exit_code = code;
  }
}

// A later job of the same name (there is none unless someone made it by hand) does not hide the first.
void add(JobRows& rows, const std::string& name, int index, JobRow row) {
  const auto [known, added] = rows.rows.try_emplace({name, index}, row);
  if (!added && row.array_job < known->second.array_job) known->second = std::move(row);
}

}  // namespace

CommandResult SlurmClient::run(std::vector<std::string> arguments) {
  ++calls_;
  Capture out, err;
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
  SubmitAnswer answer;
  if (result.exit_code == 0) {
    const std::optional<ArrayIds> ids =
        parse_array_ids(last_line(result.out).substr(0, last_line(result.out).find(';')));
    if (ids && ids->job > 0) return {SubmitAnswer::Kind::accepted, ids->job, ""};
  }
  answer.message = problem_of("sbatch", result, timeout_);
  // Only a clear "no" is one. A controller that did not answer in time may have the job.
  const bool said_no = result.exit_code > 0 && result.err.find("Batch job submission failed") != std::string::npos;
  const bool unsure = result.err.find("Socket timed out") != std::string::npos ||
                      result.err.find("Unable to contact") != std::string::npos ||
                      result.err.find("connect failure") != std::string::npos ||
                      result.err.find("receive") != std::string::npos;
  const bool bad_option = result.exit_code > 0 && result.err.find("sbatch: error: ") != std::string::npos;
  if ((said_no || bad_option) && !unsure) answer.kind = SubmitAnswer::Kind::refused;
  return answer;
}

JobRows SlurmClient::queue(const std::vector<std::string>& tokens) {
  JobRows rows;
  const CommandResult result =
      run({"squeue", "--noheader", "--array", "--states=all", "--name=" + names_of(tokens),
           "--Format=Name:|,ArrayJobID:|,ArrayTaskID:|,State:|,Reason:|,NodeList:|,exit_code:|,StartTime:|,EndTime:|"});
  if (result.exit_code != 0) {
    rows.problem = problem_of("squeue", result, timeout_);
    return rows;
  }
  rows.answered = true;
  std::istringstream stream(result.out);
  for (std::string line; std::getline(stream, line);) {
    const std::vector<std::string> f = split(line, '|');
    if (f.size() < 9) continue;
    const std::optional<ArrayIds> ids = parse_array_ids(f[1] + "_" + f[2]);
    if (!ids || ids->indices.empty()) continue;
    JobRow row{ids->job, job_state_from(f[3]), f[3], f[4] == "None" ? "" : f[4], f[5], {}, {}, time_of(f[7]), ""};
    if (is_terminal(row.state)) {
      row.ended_at = time_of(f[8]);
      set_wait_status(row, f[6]);
    }
    add(rows, f[0], ids->indices[0], row);
  }
  return rows;
}

JobRows SlurmClient::accounting(const std::vector<std::string>& tokens, int64_t since) {
  JobRows rows;
  const std::time_t start = since;
  std::tm local{};
  localtime_r(&start, &local);
  std::array<char, 32> from{};
  std::strftime(from.data(), from.size(), "%Y-%m-%dT%H:%M:%S", &local);
  const CommandResult result = run({"sacct", "-X", "-P", "--noheader", "--name=" + names_of(tokens), "-S", from.data(),
                                    "-o", "JobName,JobID,State,ExitCode,NodeList,Start,End"});
  if (result.exit_code != 0) {
    rows.problem = problem_of("sacct", result, timeout_);
    return rows;
  }
  rows.answered = true;
  std::istringstream stream(result.out);
  for (std::string line; std::getline(stream, line);) {
    const std::vector<std::string> f = split(line + "|", '|');
    const std::optional<ArrayIds> ids = f.size() >= 7 ? parse_array_ids(f[1]) : std::nullopt;
    if (!ids) continue;
    JobRow row{ids->job, job_state_from(f[2]), f[2], "", f[4], {}, {}, time_of(f[5]), time_of(f[6])};
    if (row.nodes == "None assigned") row.nodes.clear();
    if (is_terminal(row.state)) set_exit_code(row, f[3]);
    for (const int index : ids->indices) add(rows, f[0], index, row);
  }
  return rows;
}

std::string SlurmClient::cancel(const std::vector<std::string>& jobs) {
  std::vector<std::string> arguments{"scancel"};
  arguments.insert(arguments.end(), jobs.begin(), jobs.end());
  const CommandResult result = run(arguments);
  return result.exit_code == 0 ? "" : problem_of("scancel", result, timeout_);
}

CommandResult SlurmClient::show_config() { return run({"scontrol", "show", "config"}); }

CommandResult SlurmClient::show_nodes(const std::string& partition) {
  std::vector<std::string> arguments{"sinfo", "--noheader", "-o", "%P|%a|%l|%D|%c|%m|%G"};
  if (!partition.empty()) arguments.push_back("--partition=" + partition);
  return run(arguments);
}

}  // namespace wansweep
