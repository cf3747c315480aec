// Child processes, each in a process group of its own, started from an argument vector: no shell reads any value.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wansweep {

struct Command {
  std::vector<std::string> arguments;                            // the first is looked up in PATH
  std::vector<std::pair<std::string, std::string>> environment;  // set over the inherited one
  std::string stdout_file;
  std::string stderr_file;
  std::vector<std::string> without = {};  // inherited names that begin so are left out,
  std::vector<std::string> keep = {};     // but for these
  bool new_files = false;  // the output files must not be there yet, not even as links that somebody planted
};

// The child gets SIGTERM when this process dies, however it dies. Throws bad_input when the program cannot be executed,
// Error(output) when its output files cannot be written, Error(host_memory) when there is no memory, or no room among
// the user's processes, for one more.
pid_t spawn(const Command& command);

// SIGKILL to the process, its group and all that descends from it: mpirun gives each rank a group of its own.
void kill_tree(pid_t pid);

// The running program's own file, absolute; empty: the system does not tell.
std::string this_program();

// Where PATH finds `program` (or the path itself, when it has a slash); empty: nowhere, or not executable.
std::string find_program(const std::string& program);

// When the process was started, in the kernel's ticks since boot; 0: there is no such process. With the pid it names
// one process for good, which the pid alone does not.
uint64_t process_start(pid_t pid);

// What the kernel says that the process does: R runs, S sleeps, D waits for a disk or a device, T stopped by a signal,
// t stopped by a debugger, Z ended. Nothing: there is no such process, or it cannot be seen.
std::optional<char> process_state(pid_t pid);

// A process as a file may name it.
struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start = 0;  // process_start
};

enum class ProcessFinding {
  gone,    // it has ended, or the identity names none
  marked,  // it runs, is this user's, and was started with NAME=VALUE in its environment
  other,   // it runs, and is another user's or not so marked
};

// Others can write the file that an identity comes from, but not the environment of this user's processes.
ProcessFinding find_process(const ProcessIdentity& process, const std::string& name, const std::string& value);

}  // namespace wansweep
