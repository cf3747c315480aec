// Starts wansweep-worker under mpirun, and waits for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace wansweep::test {

struct WorkerResult {
  int exit_code = -1;
  double seconds = 0;
  std::string err;  // standard error
  std::string out;  // the output directory
};

// A fresh directory under the system's temporary one.
std::string make_directory(const std::string& name);

// A run under way. The destructor ends what it started.
class RunningWorker {
 public:
  RunningWorker(int ranks, const std::vector<std::string>& arguments, const std::string& out);
  ~RunningWorker();
  RunningWorker(const RunningWorker&) = delete;
  RunningWorker& operator=(const RunningWorker&) = delete;

  // The process of a rank; throws std::runtime_error when there is none.
  pid_t process_of(int rank) const;
  void kill() const;
  WorkerResult wait();

 private:
  WorkerResult result_;
  std::string err_file_;
  std::chrono::steady_clock::time_point start_;
  pid_t mpirun_ = -1;  // -1: mpirun has ended, and its exit code was read
};

// kill_after above 0: every rank gets SIGKILL after that many seconds.
WorkerResult run_worker(int ranks, const std::vector<std::string>& arguments, const std::string& out,
                        double kill_after = 0);

// Arguments for one of the reference trajectories ("shift12", "shift3", "odd-length", "one-step").
std::vector<std::string> reference_arguments(const std::string& trajectory);
std::string reference_file(const std::string& trajectory);

}  // namespace wansweep::test
