#include "tests/end_to_end/worker_run.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/files.h"
#include "base/process.h"

namespace wansweep::test {

namespace {

// Whether `file`, whose entries end with a zero byte, holds the entry `wanted`; false when the file cannot be read.
bool has_entry(const std::filesystem::path& file, const std::string& wanted) {
  std::ifstream stream(file, std::ios::binary);
  for (std::string entry; std::getline(stream, entry, '\0');) {
    if (entry == wanted) return true;
  }
  return false;
}

}  // namespace

std::string make_directory(const std::string& name) {
  std::string path = (std::filesystem::temp_directory_path() / ("wansweep-" + name + "-XXXXXX")).string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp " + path);
  return path;
}

RunningWorker::RunningWorker(int ranks, const std::vector<std::string>& arguments, const std::string& out) {
  result_.out = out;
  const std::string worker = WANSWEEP_BIN_DIR "/wansweep-worker";
  std::vector<std::string> command{"mpirun", "--quiet", "--oversubscribe", "-n", std::to_string(ranks), worker};
  if (geteuid() == 0) command.insert(command.begin() + 1, "--allow-run-as-root");
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--out", out});
  err_file_ = make_directory("stderr") + "/stderr";

  start_ = std::chrono::steady_clock::now();
  mpirun_ = fork();
  if (mpirun_ == 0) {
    setpgid(0, 0);
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    const int err = open(err_file_.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
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
}

RunningWorker::~RunningWorker() {
  if (mpirun_ < 0) return;
  kill();
  waitpid(mpirun_, nullptr, 0);
}

pid_t RunningWorker::process_of(int rank) const {
  const std::string variable = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (!has_entry(entry.path() / "environ", variable) || !has_entry(entry.path() / "cmdline", result_.out)) continue;
    return std::stoi(entry.path().filename());
  }
  throw std::runtime_error("no process of rank " + std::to_string(rank));
}

// mpirun gives each rank a process group of its own.
void RunningWorker::kill() const { kill_tree(mpirun_); }

WorkerResult RunningWorker::wait() {
  int status = 0;
  waitpid(std::exchange(mpirun_, -1), &status, 0);
  result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result_.err = read_text(err_file_);
  return result_;
}

WorkerResult run_worker(int ranks, const std::vector<std::string>& arguments, const std::string& out,
                        double kill_after) {
  RunningWorker worker(ranks, arguments, out);
  if (kill_after > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kill_after));
    worker.kill();
  }
  return worker.wait();
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
