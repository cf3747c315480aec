// `wansweep probe` as a user starts it: real ranks through mpirun, over an emulated link of a known rate.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/process.h"
#include "orchestrator/machines/machine_file.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

constexpr double link_gb_per_second = 0.2;  // far slower than memory on a loaded machine

struct Outcome {
  int exit_code = -1;
  std::string out, err;
};

class ProbeEndToEnd : public testing::Test {
 protected:
  ProbeEndToEnd()
      : file_(directory_ / "machine.toml"),
        jobs_(write_text(
            directory_ / "jobs.toml",
            fmt::format("[sweep]\nname = \"s\"\n[base]\nmodel = \"{}/tests/reference/tiny-wan2.2-t2v\"\nweights = "
                        "\"random:1\"\nsize = \"64x64\"\nframes = 5\nsteps = 4\nranks = 2\nlink_bandwidth = "
                        "{}\n[matrix]\noffload = [\"resident\", \"layerwise\"]\n",
                        WANSWEEP_SOURCE_DIR, link_gb_per_second))) {}

  pid_t start(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{std::string(WANSWEEP_BIN_DIR) + "/wansweep", "probe", jobs_, "--dir",
                                       directory_ / "probe"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return spawn({arguments, {}, directory_ / "stdout", directory_ / "stderr"});
  }

  Outcome finish(pid_t pid) const {
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), text(directory_ / "stdout"),
            text(directory_ / "stderr")};
  }

  Outcome probe(const std::vector<std::string>& more) const { return finish(start(more)); }

  // Returns mpirun's process id, once the ranks have begun to measure.
  pid_t wait_for_ranks() const {
    for (int i = 0; i < 1000; ++i) {
      std::error_code failed;
      for (const auto& entry : fs::directory_iterator(directory_ / "probe/attempts", failed)) {
        const nlohmann::json pid = nlohmann::json::parse(text(entry.path() / "pid.json"), nullptr, false);
        if (fs::exists(entry.path() / "rank-0001.h5") && pid.is_object()) return pid.at("pid");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ADD_FAILURE() << "no ranks began: " << text(directory_ / "stderr");
    return 0;
  }

  static std::string text(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream all;
    all << stream.rdbuf();
    return all.str();
  }

  TemporaryDirectory directory_;
  std::string file_;
  std::string jobs_;
};

// The file of a machine that another probe has measured.
std::string earlier_probe() {
  Machine machine;
  machine.name = "box";
  machine.source = MachineSource::probe;
  machine.measured_at = "2026-11-01T12:00:00.000Z";
  machine.measured_on = "box";
  machine.wansweep = "0.1.0 (0123456789ab)";
  machine.card = "a processor";
  return machine_text(machine);
}

double rate(const Machine& machine, int64_t ranks, Beside beside) {
  for (const CopyRate& copy : machine.links.copies) {
    if (copy.way == Way::in && copy.memory == HostMemory::pinned && copy.ranks == ranks && copy.beside == beside) {
      return copy.gb_per_second.value;
    }
  }
  return 0;
}

TEST_F(ProbeEndToEnd, FindsTheRateOfAnEmulatedLinkAndTheTimesOfTheJobsOwnShape) {
  const Outcome outcome = probe({"-o", file_, "--machine", "box", "--seconds", "25"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  const Machine machine = read_machine(file_).machine;
  EXPECT_EQ(machine.name, "box");
  EXPECT_EQ(machine.source, MachineSource::probe);
  EXPECT_EQ(machine.gpus_per_node, 2);
  EXPECT_TRUE(machine.links.emulated);
  EXPECT_EQ(machine.links.exchanges_take, Wire::copies);
  EXPECT_NEAR(rate(machine, 1, Beside::nothing), link_gb_per_second, 0.1 * link_gb_per_second);
  EXPECT_NEAR(rate(machine, 2, Beside::nothing), link_gb_per_second / 2,
              0.1 * link_gb_per_second);  // two ranks share it
  ASSERT_EQ(machine.shapes.size(), 1u);
  const BlockTimes& times = machine.shapes[0];
  EXPECT_EQ(times.shape.ranks, 2);
  EXPECT_EQ(times.shape.tokens_per_rank, 16);
  EXPECT_TRUE(times.block.known());
  EXPECT_TRUE(times.block_rest.known());
  EXPECT_TRUE(times.block_with_exchanges.known());
  EXPECT_FALSE(machine.links.exchanges.empty());
  EXPECT_LE(times.block.low, times.block.high);
  EXPECT_NE(times.block.origin.find("probe of "), std::string::npos);
  EXPECT_NE(outcome.out.find("machine box as it was measured now"), std::string::npos) << outcome.out;

  // The probe's attempts are not runs.
  for (const char* verb : {"gather", "rerun"}) {
    const Outcome refused = finish(spawn({{std::string(WANSWEEP_BIN_DIR) + "/wansweep", verb, directory_ / "probe"},
                                          {},
                                          directory_ / "stdout",
                                          directory_ / "stderr"}));
    EXPECT_EQ(refused.exit_code, 2) << verb;
    EXPECT_NE(refused.err.find("is a probe of a machine, no sweep"), std::string::npos) << refused.err;
  }
}

TEST_F(ProbeEndToEnd, SaysWhatAShortTimeDidNotReachAndGuessesNothing) {
  const Outcome outcome = probe({"-o", file_, "--seconds", "2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("not measured on 2 ranks: "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("the probe's time was over"), std::string::npos) << outcome.out;
  EXPECT_EQ(read_machine(file_).machine.compute.elementwise_gb_per_second.samples, 0);
}

TEST_F(ProbeEndToEnd, LeavesNoFileWhenItIsStopped) {
  const pid_t pid = start({"-o", file_, "--seconds", "60"});
  wait_for_ranks();
  kill(pid, SIGINT);
  EXPECT_EQ(finish(pid).exit_code, 130);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(ProbeEndToEnd, LeavesNoFileWhenItsRanksAreKilled) {
  const pid_t pid = start({"-o", file_, "--seconds", "60"});
  const pid_t ranks = wait_for_ranks();
  ASSERT_GT(ranks, 0);
  kill_tree(ranks);
  const Outcome outcome = finish(pid);
  EXPECT_EQ(outcome.exit_code, 17) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find(file_ + " is not written"), std::string::npos) << outcome.out;
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(ProbeEndToEnd, RefusesAWrongSweepBeforeAnythingIsMade) {
  write_text(jobs_, text(jobs_) + "no_such_setting = [1]\n");
  const Outcome outcome = probe({"-o", file_});
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_NE(outcome.err.find("no_such_setting"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(directory_ / "probe"));
}

TEST_F(ProbeEndToEnd, RefusesAPlaceThatCannotBeWrittenBeforeItMeasures) {
  const Outcome outcome = probe({"-o", "/dev/null/machine.toml"});
  EXPECT_EQ(outcome.exit_code, 13) << outcome.err;
  EXPECT_FALSE(fs::exists(directory_ / "probe"));
}

TEST_F(ProbeEndToEnd, ReplacesAnEarlierProbeOnlyWhereTheUserSaysSo) {
  const std::string earlier = earlier_probe();
  write_text(file_, earlier);
  const Outcome refused = probe({"-o", file_, "--seconds", "2"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find(file_ + ": holds what was measured on box at 2026-11-01T12:00:00.000Z; --replace"),
            std::string::npos)
      << refused.err;
  EXPECT_EQ(text(file_), earlier);
  EXPECT_FALSE(fs::exists(directory_ / "probe")) << "it was refused before anything was measured";
  const Outcome replaced = probe({"-o", file_, "--seconds", "2", "--replace"});
  EXPECT_EQ(replaced.exit_code, 0) << replaced.err;
  EXPECT_NE(read_machine(file_).machine.measured_at, "2026-11-01T12:00:00.000Z");
}

TEST_F(ProbeEndToEnd, LeavesTheFileOfAProbeThatEndedMeanwhile) {
  const std::string other = earlier_probe();
  for (const bool was_there : {false, true}) {
    fs::remove_all(directory_ / "probe");
    fs::remove(file_);
    if (was_there) write_text(file_, other + "# first\n");
    const pid_t pid = start({"-o", file_, "--seconds", "2", "--replace"});
    wait_for_ranks();
    write_text(file_, other);
    const Outcome outcome = finish(pid);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.err.find(file_ + " was written while this probe measured, and stays as it is"), std::string::npos)
        << outcome.err;
    EXPECT_EQ(text(file_), other);
    const size_t beside = outcome.out.find(": machine ");
    ASSERT_NE(beside, std::string::npos) << outcome.out;
    const size_t line = outcome.out.rfind('\n', beside) + 1;
    const std::string written = outcome.out.substr(line, beside - line);
    EXPECT_NE(written, file_);
    EXPECT_EQ(read_machine(written).machine.source, MachineSource::probe);
  }
}

TEST_F(ProbeEndToEnd, LeavesFactsThatAPersonWroteDown) {
  Machine facts;
  facts.name = "aces";
  facts.measured_at = "2026-11-26";
  facts.measured_on = "ACES";
  facts.card = "NVIDIA H100 PCIe";
  write_text(file_, machine_text(facts));
  const Outcome outcome = probe({"-o", file_});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("holds facts that a person wrote down"), std::string::npos) << outcome.err;
  EXPECT_EQ(text(file_), machine_text(facts));
}

}  // namespace
}  // namespace wansweep
