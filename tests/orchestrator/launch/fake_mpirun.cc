// Stands for mpirun and the worker at once: reads --spec and --out from its arguments, and does what $FAKE_WORKER says:
//   ok (default)  leaves two traces and a completion record
//   fail          leaves a failure record, exit code 10
//   silent        exit code 0 and no completion record
//   hang          waits for a signal
//   linger        leaves what ok leaves, and then waits for a signal
// With --version it says that it is Open MPI.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/sha256.h"
#include "schema/completion.h"
#include "schema/trace_file.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--version") {
    std::cout << "mpirun (Open MPI) 4.1.4\n";
    return 0;
  }
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; ++i) options[argv[i]] = argv[i + 1];
  const std::string out = options.at("--out");
  const char* wish = std::getenv("FAKE_WORKER");
  const std::string mode = wish != nullptr ? wish : "ok";
  std::ofstream(out + "/arguments.txt") << argc << '\n' << options.at("--spec") << '\n';

  if (mode == "hang") {
    for (;;) pause();
  }
  if (mode == "silent") {
    std::cerr << "wansweep-worker: said something\n----\n";
    return 0;
  }
  if (mode == "fail") {
    wansweep::write_failure(out, {1, 10, "rank 1: the arena is full", wansweep::timestamp_now()});
    return static_cast<int>(wansweep::ExitCode::device_memory);
  }
  wansweep::Completion completion;
  completion.ranks = 2;
  completion.started_at = completion.finished_at = wansweep::timestamp_now();
  completion.latents_digest = wansweep::sha256("", 0);
  for (int rank = 0; rank < completion.ranks; ++rank) {
    const std::string name = wansweep::trace_file_name(rank);
    std::ofstream(out + "/" + name) << "trace of rank " << rank;
    completion.traces.push_back({name, 0, 0, 0, wansweep::sha256_file(out + "/" + name)});
  }
  wansweep::write_completion(out, completion);
  if (mode == "linger") {
    for (;;) pause();
  }
  return 0;
}
