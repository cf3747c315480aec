// The child is forked, not started by posix_spawn: only code in the child can ask for a signal at the parent's death.
// Another thread may hold any lock at the fork, so all that allocates (environment, arguments, files) is made before
// it, and the child makes async-signal-safe calls only. A pipe that exec closes brings back errno when exec fails:
// spawn never returns the pid of a child that did not become the program.
// /proc tells about other processes, and may be out of date once it is read. A process that ended meanwhile is reported
// as gone, and never confused with a new one that got its pid: the start time tells them apart.

#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/files.h"

namespace wansweep {
namespace {

FileDescriptor open_output(const std::string& file, bool is_new) {
  FileDescriptor fd(open(file.c_str(), O_WRONLY | O_CREAT | (is_new ? O_EXCL : O_TRUNC) | O_CLOEXEC, 0644));
  if (!fd) throw Error(ExitCode::output, fmt::format("{}: cannot be written: {}", file, error_text(errno)));
  return fd;
}

// fork and pipe fail when there is no memory, no free file descriptor, or when the user has too many processes.
[[noreturn]] void fail_for_want(const std::string& program, int error) {
  throw Error(ExitCode::host_memory,
              fmt::format("{}: cannot start a process: {}; a limit of this shell (ulimit -a) or of the machine "
                          "is reached: raise it, or start fewer processes at a time",
                          program, error_text(error)));
}

bool is_inherited(std::string_view name, const Command& command) {
  for (const auto& [changed, value] : command.environment) {
    if (name == changed) return false;
  }
  if (std::find(command.keep.begin(), command.keep.end(), name) != command.keep.end()) return true;
  return std::none_of(command.without.begin(), command.without.end(),
                      [&](const std::string& prefix) { return name.starts_with(prefix); });
}

std::vector<std::string> merged_environment(const Command& command) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (is_inherited(text.substr(0, text.find('=')), command)) merged.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) merged.push_back(fmt::format("{}={}", name, value));
  return merged;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// Between fork and exec: async-signal-safe calls only. Ends with exec, or with errno through `report`.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment, int in, int out,
                         int err, int report, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);  // wansweep ignores it, and exec would keep that
  if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0) {
    execve(program, arguments, environment);
  }
  const int error = errno;
  const ssize_t ignored = write(report, &error, sizeof error);
  static_cast<void>(ignored);
  _exit(127);
}

// The fields of /proc/PID/stat after the name in parentheses (a name may hold spaces and parentheses): state, parent,
// ...
constexpr size_t parent_field = 1;
constexpr size_t start_field = 19;

std::vector<std::string> stat_fields(pid_t pid) {
  std::ifstream stream(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(stream, text);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(rest), std::istream_iterator<std::string>()};
}

}  // namespace

pid_t spawn(const Command& command) {
  const std::string& name = command.arguments.at(0);
  const std::string program = find_program(name);
  if (program.empty()) throw bad_input(fmt::format("{}: no such program in PATH, or it is not executable", name));
  FileDescriptor in(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const FileDescriptor out = open_output(command.stdout_file, command.new_files);
  const FileDescriptor err = open_output(command.stderr_file, command.new_files);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail_for_want(name, errno);
  FileDescriptor report_in(ends[0]);
  FileDescriptor report_out(ends[1]);

  const std::vector<std::string> environment = merged_environment(command);
  const std::vector<char*> argument_pointers = pointers(command.arguments);
  const std::vector<char*> environment_pointers = pointers(environment);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) fail_for_want(name, errno);
  if (child == 0) {
    become(program.c_str(), argument_pointers.data(), environment_pointers.data(), in.get(), out.get(), err.get(),
           report_out.get(), parent);
  }
  setpgid(child, child);  // also here, so that the group exists before the first signal to it
  report_out.close();
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(report_in.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof error)) {
    waitpid(child, nullptr, 0);
    if (error == ENOMEM || error == EAGAIN) fail_for_want(name, error);
    throw bad_input(fmt::format("{}: cannot be executed: {}", program, error_text(error)));
  }
  return child;
}

std::string this_program() {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? "" : program.string();
}

std::string find_program(const std::string& program) {
  const auto executable = [](const std::string& path) {
    std::error_code ignored;
    return access(path.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(path, ignored);
  };
  if (program.find('/') != std::string::npos) return executable(program) ? program : "";
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = (folder.empty() ? "." : folder) + '/' + program;
    if (executable(candidate)) return candidate;
  }
  return "";
}

void kill_tree(pid_t pid) {
  std::multimap<pid_t, pid_t> children;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
    const pid_t candidate = std::atoi(entry.path().filename().c_str());
    if (candidate <= 0) continue;
    const std::vector<std::string> fields = stat_fields(candidate);
    if (fields.size() > parent_field) children.emplace(std::atoi(fields[parent_field].c_str()), candidate);
  }
  std::vector<pid_t> tree{pid};
  for (size_t i = 0; i < tree.size(); ++i) {
    const auto [begin, end] = children.equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) tree.push_back(child->second);
  }
  kill(-pid, SIGKILL);
  for (const pid_t member : tree) kill(member, SIGKILL);
}

uint64_t process_start(pid_t pid) {
  const std::vector<std::string> fields = stat_fields(pid);
  if (fields.size() <= start_field || fields[0] == "Z" || fields[0] == "X") return 0;
  return std::strtoull(fields[start_field].c_str(), nullptr, 10);
}

std::optional<char> process_state(pid_t pid) {
  const std::vector<std::string> fields = stat_fields(pid);
  if (fields.empty()) return std::nullopt;
  return fields[0][0];
}

ProcessFinding find_process(const ProcessIdentity& process, const std::string& name, const std::string& value) {
  if (process.pid <= 1 || process.start == 0 || process_start(process.pid) != process.start) {
    return ProcessFinding::gone;
  }
  struct stat owner {};
  if (stat(fmt::format("/proc/{}", process.pid).c_str(), &owner) != 0) return ProcessFinding::gone;
  if (owner.st_uid != geteuid()) return ProcessFinding::other;
  std::ifstream stream(fmt::format("/proc/{}/environ", process.pid), std::ios::binary);
  const std::string wanted = fmt::format("{}={}", name, value);
  for (std::string entry; std::getline(stream, entry, '\0');) {
    if (entry == wanted) return ProcessFinding::marked;
  }
  // The process may have ended in between, and its environment with it.
  return process_start(process.pid) == process.start ? ProcessFinding::other : ProcessFinding::gone;
}

}  // namespace wansweep
