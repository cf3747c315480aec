#include "orchestrator/machines/this_machine.h"

#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "base/temporary_folder.h"

namespace wansweep {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

// The output of nvidia-smi, with a line like "NVIDIA H200, 580.95.05" for each GPU.
std::string ask(const std::string& nvidia_smi) {
  const TemporaryFolder folder;
  Command command;
  command.arguments = {nvidia_smi, "--query-gpu=name,driver_version", "--format=csv,noheader"};
  command.stdout_file = folder.file("out");
  command.stderr_file = folder.file("err");
  const pid_t pid = spawn(command);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? read_text(command.stdout_file) : "";
}

}  // namespace

SeenMachine see_this_machine(const std::string& nvidia_smi) {
  SeenMachine seen;
  seen.processor = processor_name();
  try {
    if (find_program(nvidia_smi).empty()) return seen;
    std::istringstream lines(ask(nvidia_smi));
    for (std::string line; std::getline(lines, line);) {
      const size_t comma = line.rfind(", ");
      if (comma == std::string::npos) continue;
      seen.cards.push_back(line.substr(0, comma));
      seen.driver = line.substr(comma + 2);
    }
  } catch (const Error&) {
    seen.cards.clear();
    seen.driver.clear();
  }
  return seen;
}

}  // namespace wansweep
