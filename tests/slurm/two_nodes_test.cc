// A run with ranks on two nodes, one of which stops. Each node sees only its own ranks; the node with the stopped rank
// reports it.

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/error.h"
#include "schema/completion.h"
#include "schema/trace_file.h"
#include "tests/slurm/slurm_sweep.h"
#include "tests/support/nap.h"

namespace wansweep::test {
namespace {

class TwoNodes : public OnSlurm {};

bool holds(const std::filesystem::path& file, const std::string& part) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  return text.find(part) != std::string::npos;
}

// The process id of the attempt's rank `rank`.
std::optional<pid_t> process_of(int rank, const std::string& directory) {
  const std::string variable = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (holds(entry.path() / "cmdline", directory) && holds(entry.path() / "environ", variable)) return std::stoi(pid);
  }
  return std::nullopt;
}

size_t steps_written(const std::string& attempt) {
  try {
    return read_trace(attempt + "/" + trace_file_name(0)).rows.steps.size();
  } catch (const Error&) {
    return 0;  // the rank has not started yet
  }
}

// Starts a run of four ranks, two on each node, waits until it works, and returns its attempt's directory.
std::string start_four(const SlurmSweep& sweep) {
  const Outcome submitted = sweep.submit();
  EXPECT_EQ(submitted.exit_code, 0) << submitted.out;
  EXPECT_NE(submitted.out.find("4 ranks, 2 nodes"), std::string::npos) << submitted.out;
  EXPECT_EQ(sweep.attempts().size(), 1u);
  const std::string attempt = sweep.attempts().at(0);
  for (int i = 0; i < 900 && steps_written(attempt) < 1; ++i) nap(100);
  EXPECT_GE(steps_written(attempt), 1u) << sweep.status().out;
  return attempt;
}

SweepSettings four_ranks() {
  SweepSettings settings;
  settings.profile = "partition = \"pair\"\ngpus_per_node = 2\nmax_nodes = 2";
  // Both nodes are this machine, and Open MPI's shared memory would mix up the ranks of the two.
  settings.environment = "OMPI_MCA_btl = \"self,tcp\"\n";
  // A step takes some seconds.
  settings.matrix =
      "ranks = [4]\noffload = [\"layerwise\"]\nlink_bandwidth = [0.02]\nbackend = [\"cpu\"]\nstep_timeout = [10]";
  return settings;
}

TEST_F(TwoNodes, ARankThatStopsEndsTheRunOfBothWithALineThatNamesIt) {
  const SlurmSweep sweep(four_ranks());
  const std::string attempt = start_four(sweep);
  const std::optional<pid_t> stopped = process_of(3, attempt);
  ASSERT_TRUE(stopped.has_value()) << sweep.status().out;
  ASSERT_EQ(kill(*stopped, SIGSTOP), 0);
  const auto states = sweep.wait(60);
  kill(*stopped, SIGCONT);
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states.begin()->second, "failed");
  const std::string status = sweep.status().out;
  EXPECT_NE(status.find("19 (stalled)"), std::string::npos) << status;
  const std::optional<Failure> failure = read_failure(attempt);
  ASSERT_TRUE(failure.has_value()) << status;
  EXPECT_NE(failure->line.find("rank 3 (process " + std::to_string(*stopped)), std::string::npos) << failure->line;
  EXPECT_NE(failure->line.find("stopped by a signal"), std::string::npos) << failure->line;
}

// mpirun itself then ends with exit code 11, which would mean host_memory if it were the worker's.
TEST_F(TwoNodes, ARankOnTheOtherNodeThatASignalEndsIsShownWithTheSignal) {
  const SlurmSweep sweep(four_ranks());
  const std::string attempt = start_four(sweep);
  const std::optional<pid_t> ended = process_of(3, attempt);
  ASSERT_TRUE(ended.has_value()) << sweep.status().out;
  ASSERT_EQ(kill(*ended, SIGSEGV), 0);
  const auto states = sweep.wait(60);
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states.begin()->second, "failed");
  const std::string status = sweep.status().out;
  EXPECT_NE(status.find("signal 11"), std::string::npos) << status;
  EXPECT_EQ(status.find("host_memory"), std::string::npos) << status;
  EXPECT_EQ(sweep.rerun().out.find("give --mem-factor"), std::string::npos);
}

}  // namespace
}  // namespace wansweep::test
