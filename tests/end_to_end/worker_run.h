// Starts wansweep-worker under mpirun, and waits for it.
#pragma once

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

// `kill_after` above 0: SIGKILL to every rank after that many seconds.
WorkerResult run_worker(int ranks, const std::vector<std::string>& arguments, const std::string& out,
                        double kill_after = 0);

// Arguments for one of the reference trajectories ("shift12", "shift3", "odd-length", "one-step").
std::vector<std::string> reference_arguments(const std::string& trajectory);
std::string reference_file(const std::string& trajectory);

}  // namespace wansweep::test
