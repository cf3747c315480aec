// A rank that stops in the middle of a run: the other ranks do not wait for it for ever. A run that is only slow, or
// that is suspended as a whole, goes on.

#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/exit_codes.h"
#include "base/process.h"
#include "schema/completion.h"
#include "schema/trace_file.h"
#include "tests/end_to_end/worker_run.h"
#include "tests/support/nap.h"

namespace wansweep::test {
namespace {

// A step takes about a second, because each rank copies 21 MB over the link.
std::vector<std::string> slow_arguments(const std::string& steps) {
  std::vector<std::string> arguments = reference_arguments("shift12");
  arguments.insert(arguments.end(),
                   {"--offload", "layerwise", "--link-bandwidth", "0.02", "--steps", steps, "--step-timeout", "3"});
  return arguments;
}

size_t steps_written(const std::string& out) {
  try {
    return read_trace(out + "/" + trace_file_name(0)).rows.steps.size();
  } catch (const Error&) {
    return 0;  // the rank has not started yet
  }
}

void wait_for_step(const std::string& out, size_t step) {
  for (int i = 0; i < 600 && steps_written(out) < step; ++i) nap(50);
  ASSERT_GE(steps_written(out), step);
}

bool is_gone(pid_t process) {
  for (int i = 0; i < 50 && process_start(process) != 0; ++i) nap(100);
  return process_start(process) == 0;
}

TEST(Stall, ARankThatIsStoppedEndsTheRunWithALineThatNamesIt) {
  const std::string out = make_directory("stall");
  RunningWorker worker(2, slow_arguments("27"), out);
  wait_for_step(out, 2);
  const pid_t stopped = worker.process_of(1);
  const pid_t waiting = worker.process_of(0);
  const auto since = std::chrono::steady_clock::now();
  ASSERT_EQ(kill(stopped, SIGSTOP), 0);
  const WorkerResult run = worker.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds(12));
  EXPECT_EQ(run.exit_code, static_cast<int>(ExitCode::stalled)) << run.err;
  const std::string named = "rank 1 (process " + std::to_string(stopped) + " on ";
  EXPECT_NE(run.err.find("wansweep-worker: no step for 3 s: " + named), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("has been stopped by a signal for"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("rank 0 waits for it"), std::string::npos) << run.err;
  EXPECT_TRUE(is_gone(stopped));
  EXPECT_TRUE(is_gone(waiting));
  EXPECT_EQ(read_completion(out), std::nullopt);
  const std::optional<Failure> failure = read_failure(out);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->rank, 1);
  EXPECT_EQ(failure->exit_code, static_cast<int>(ExitCode::stalled));
  EXPECT_NE(failure->line.find(named), std::string::npos) << failure->line;
  std::filesystem::remove_all(out);
}

TEST(Stall, ASlowRunThatMovesIsNotEnded) {
  const std::string out = make_directory("slow");
  const WorkerResult run = run_worker(2, slow_arguments("8"), out);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_GT(run.seconds, 4) << "longer than the timeout of a step";
  std::filesystem::remove_all(out);
}

TEST(Stall, ARunThatIsSuspendedAndResumedGoesOn) {
  const std::string out = make_directory("suspended");
  RunningWorker worker(2, slow_arguments("6"), out);
  wait_for_step(out, 2);
  const std::vector<pid_t> ranks{worker.process_of(0), worker.process_of(1)};
  for (const pid_t rank : ranks) kill(rank, SIGSTOP);
  nap(5000);  // longer than the timeout
  for (const pid_t rank : ranks) kill(rank, SIGCONT);
  const WorkerResult run = worker.wait();
  EXPECT_EQ(run.exit_code, 0) << run.err;
  std::filesystem::remove_all(out);
}

TEST(Stall, ASignalDuringTheFirstLoadEndsTheRunAtOnce) {
  const std::string out = make_directory("first-load");
  std::vector<std::string> arguments = reference_arguments("shift12");
  arguments.insert(arguments.end(), {"--offload", "swap", "--link-bandwidth", "0.0001"});  // an expert takes minutes
  RunningWorker worker(1, arguments, out);
  nap(2500);  // MPI has started by then
  ASSERT_EQ(kill(worker.process_of(0), SIGTERM), 0);
  const auto since = std::chrono::steady_clock::now();
  const WorkerResult run = worker.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds(8));
  EXPECT_EQ(run.exit_code, static_cast<int>(ExitCode::interrupted)) << run.err;
  EXPECT_NE(run.err.find("stopped by a signal before the first step"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace wansweep::test
