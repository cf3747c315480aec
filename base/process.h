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
  std::vector<std::string> without = {};  // prefixes: inherited variables that begin so are left out,
  std::vector<std::string> keep = {};     // except these
  bool new_files = false;  // the output files must not exist yet, not even as links that somebody planted
};

// Starts the program. The child gets SIGTERM when this process dies for any reason. Throws bad_input when the program
// cannot be executed, Error(output) when its output files cannot be written, Error(host_memory) when there is no memory
// for another process or the user's process limit is reached.
pid_t spawn(const Command& command);

// Sends SIGKILL to the process, its group and all its descendants: mpirun gives each rank a group of its own.
void kill_tree(pid_t pid);

// The absolute path of the running program; empty when the system does not tell.
std::string this_program();

// The file that PATH gives for `program` (the path itself when it has a slash); empty when there is none or it is not
// executable.
std::string find_program(const std::string& program);

// When the process was started, in the kernel's clock ticks since boot; 0 when there is no such process. Pid and start
// together identify a process; a pid alone may be reused.
uint64_t process_start(pid_t pid);

// The process's state as the kernel gives it: R runs, S sleeps, D waits for a disk or a device, T is stopped by a
// signal, t is stopped by a debugger, Z has ended. nullopt when there is no such process, or this user cannot see it.
std::optional<char> process_state(pid_t pid);

// A process as a file may identify it.
struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start = 0;  // process_start
};

enum class ProcessFinding {
  gone,    // the process has ended, or the identity names none
  marked,  // it runs, belongs to this user, and was started with NAME=VALUE in its environment
  other,   // it runs, but belongs to another user or was started without NAME=VALUE
};

// Whether the identified process runs, and is really ours. Others may be able to write the file that holds an identity,
// but not the environment of this user's processes.
ProcessFinding find_process(const ProcessIdentity& process, const std::string& name, const std::string& value);

}  // namespace wansweep
