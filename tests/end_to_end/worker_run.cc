#include "tests/end_to_end/worker_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "base/files.h"

namespace wansweep::test {

namespace {

// The ranks write their process ids nowhere, but mpirun is their process group's leader or their parent: killing the
// group with SIGKILL reaches all of them on one machine.
void kill_group(pid_t leader) { kill(-leader, SIGKILL); }

std::string read_text(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace

std::string make_directory(const std::string& name) {
  std::string path = (std::filesystem::temp_directory_path() / ("wansweep-" + name + "-XXXXXX")).string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp " + path);
  return path;
}

WorkerResult run_worker(int ranks, const std::vector<std::string>& arguments, const std::string& out,
                        double kill_after) {
  WorkerResult result;
  result.out = out;
  const std::string worker = WANSWEEP_BIN_DIR "/wansweep-worker";
  std::vector<std::string> command{"mpirun", "--quiet", "--oversubscribe", "-n", std::to_string(ranks), worker};
  if (geteuid() == 0) command.insert(command.begin() + 1, "--allow-run-as-root");
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--out", out});
  const std::string err_file = make_directory("stderr") + "/stderr";

  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    const int err = open(err_file.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(err, 2);
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    execvp("mpirun", argv.data());
    _exit(127);
  }
  if (kill_after > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kill_after));
    kill_group(child);
  }
  int status = 0;
  waitpid(child, &status, 0);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.err = read_text(err_file);
  return result;
}

std::string reference_file(const std::string& trajectory) {
  return std::string(WANSWEEP_SOURCE_DIR) + "/tests/reference/trajectory-" + trajectory + ".safetensors";
}

std::vector<std::string> reference_arguments(const std::string& trajectory) {
  return {"--model",
          std::string(WANSWEEP_SOURCE_DIR) + "/tests/reference/tiny-wan2.2-t2v",
          "--inputs",
          reference_file(trajectory),
          "--steps",
          trajectory == "one-step" ? "1" : "27",
          "--flow-shift",
          trajectory == "shift3" ? "3" : "12",
          "--sigma-schedule",
          "diffusers",
          "--guidance-scale",
          "4",
          "--guidance-scale-2",
          "3",
          "--backend",
          "cpu",
          "--keep-steps"};
}

}  // namespace wansweep::test
