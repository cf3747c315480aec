// Where the host keeps the weights, and how they are copied: every way gives the same latents and moves the bytes that
// the schedule says, and nothing is left behind or deadlocks.

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/exit_codes.h"
#include "schema/completion.h"
#include "schema/run_plan.h"
#include "schema/setting_fields.h"
#include "schema/trace_file.h"
#include "tests/end_to_end/worker_run.h"
#include "tests/support/nap.h"

namespace wansweep::test {
namespace {

using Words = std::vector<std::string>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

// Five steps, one of them the switch step, on an emulated link that all ranks share.
Words arguments(const std::string& offload, const std::string& link_gbs = "2") {
  return reference_arguments("shift12") +
         Words{"--steps", "5", "--offload", offload, "--link-bandwidth", link_gbs, "--step-timeout", "30"};
}

std::string digest_of(const WorkerResult& run) {
  const auto completion = read_completion(run.out);
  return completion ? completion->latents_digest : "none";
}

TraceFile trace_of(const WorkerResult& run, int rank) { return read_trace(run.out + "/" + trace_file_name(rank)); }

// The number of bytes that the plan's schedule copies to the device, before the loop and in it.
int64_t scheduled_bytes(const TraceFile& trace) {
  const RunPlan plan = make_run_plan(settings_from_json(nlohmann::json::parse(trace.spec_json), "trace"));
  int64_t bytes = 0;
  for (const Transfer& transfer : schedule_of(plan).transfers) {
    if (transfer.way == Way::in) bytes += transfer.block == outside_blocks ? plan.weights.other : plan.weights.block;
  }
  return bytes;
}

int64_t bytes_of(const TraceFile& trace, std::set<EventKind> kinds) {
  int64_t bytes = 0;
  for (const EventRow& row : trace.rows.events) bytes += kinds.contains(row.kind) ? row.bytes : 0;
  return bytes;
}

void expect_scheduled_bytes(const WorkerResult& run, int ranks, const std::string& name) {
  for (int rank = 0; rank < ranks; ++rank) {
    const TraceFile trace = trace_of(run, rank);
    EXPECT_EQ(bytes_of(trace, {EventKind::h2d, EventKind::weight_parts}), scheduled_bytes(trace))
        << name << "rank " << rank;
  }
}

TEST(Transport, EveryWayGivesTheSameLatentsAndMovesWhatTheScheduleSays) {
  const struct {
    int ranks;
    Words plan;
  } plans[] = {{2, {}}, {4, {"--ulysses", "2", "--ring", "2"}}, {4, {"--cfg-parallel"}}};
  for (const auto& plan : plans) {
    std::optional<std::string> digest;
    for (const std::string offload : {"layerwise", "swap"}) {
      for (const std::string store : {"private", "shared"}) {
        for (const std::string yields : {"off", "on"}) {
          for (const std::string cooperative : {"off", "on"}) {
            const Words way{"--host-store",           store,  "--chunk-bytes", yields == "on" ? "30000" : "0",
                            "--yield-to-collectives", yields, "--cooperative", cooperative};
            const WorkerResult run =
                run_worker(plan.ranks, arguments(offload) + plan.plan + way, make_directory("transport"));
            const std::string name =
                std::to_string(plan.ranks) + " ranks " + joined(plan.plan) + offload + " " + joined(way);
            ASSERT_EQ(run.exit_code, 0) << name << run.err;
            if (!digest) digest = digest_of(run);
            EXPECT_EQ(digest_of(run), *digest) << name;
            expect_scheduled_bytes(run, plan.ranks, name);
            std::filesystem::remove_all(run.out);
          }
        }
      }
    }
  }
}

TEST(Transport, SettingsLeftToTheWorkerAreDecidedAlikeOnAllRanksAndReported) {
  const WorkerResult run =
      run_worker(4, arguments("layerwise", "0.2") + Words{"--yield-to-collectives", "auto", "--cooperative", "auto"},
                 make_directory("auto"));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.err.find("wansweep-worker: copies of weights: "), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("an exchange took "), std::string::npos) << run.err;
  std::set<std::string> said;
  for (int rank = 0; rank < 4; ++rank) {
    const auto environment = nlohmann::json::parse(trace_of(run, rank).environment_json);
    said.insert(environment.at("transport").dump());
    EXPECT_FALSE(environment["transport"]["cooperative"].get<bool>())
        << "parts over the wire that the weights take cannot pay";
    EXPECT_EQ(environment.at("host_store").at("kind"), "private");
  }
  EXPECT_EQ(said.size(), 1u);
  std::filesystem::remove_all(run.out);
}

TEST(Transport, ResidentWeightsTurnOffTheWaysToCopyInTheLoop) {
  const WorkerResult run = run_worker(
      2, arguments("resident") + Words{"--host-store", "shared", "--yield-to-collectives", "on", "--cooperative", "on"},
      make_directory("resident"));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto environment = nlohmann::json::parse(trace_of(run, 0).environment_json);
  EXPECT_FALSE(environment["transport"]["yields"].get<bool>());
  EXPECT_FALSE(environment.contains("host_store"));
  std::filesystem::remove_all(run.out);
}

TEST(Transport, RanksOfANodeHoldOneCopyTogether) {
  const WorkerResult run =
      run_worker(4, arguments("layerwise") + Words{"--host-store", "shared"}, make_directory("shared"));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.err.find("wansweep-worker: host store: "), std::string::npos) << run.err;
  int64_t held = 0;
  std::optional<int64_t> whole;
  for (int rank = 0; rank < 4; ++rank) {
    const TraceFile trace = trace_of(run, rank);
    held += trace.rows.memory.back().host_used;
    const auto store = nlohmann::json::parse(trace.environment_json).at("host_store");
    whole = store.at("bytes").get<int64_t>();
    const int64_t own = store.at("own_bytes").get<int64_t>();
    EXPECT_GT(own, 0);
    EXPECT_LT(own, *whole / 2);
  }
  constexpr int64_t small_buffers = 4 * 65536;  // for the timestep and the count of values that are not finite
  EXPECT_GE(held, *whole);
  EXPECT_LE(held, *whole + small_buffers);
  std::filesystem::remove_all(run.out);
}

// Exchanges and copies share one slow link; one rank is late again and again; its peers wait for parts from it.
TEST(Transport, LateRanksDoNotDeadlockYieldingAndCooperativeCopies) {
  for (const Words& plan : {Words{"--ulysses", "2", "--ring", "2"}, Words{"--cfg-parallel"}}) {
    const std::string out = make_directory("late");
    RunningWorker worker(4,
                         arguments("layerwise", "0.05") + plan +
                             Words{"--host-store", "shared", "--chunk-bytes", "8192", "--yield-to-collectives", "on",
                                   "--cooperative", "on"},
                         out);
    nap(2500);
    for (int i = 0; i < 12; ++i) {
      try {
        const pid_t late = worker.process_of(i % 4);
        ::kill(late, SIGSTOP);
        nap(120);
        ::kill(late, SIGCONT);
      } catch (const std::exception&) {
        break;  // the run is over
      }
      nap(30);
    }
    const WorkerResult run = worker.wait();
    EXPECT_EQ(run.exit_code, 0) << joined(plan) << run.err;
    EXPECT_LT(run.seconds, 60) << joined(plan);
    expect_scheduled_bytes(run, 4, joined(plan));
    std::filesystem::remove_all(out);
  }
}

// --- what a killed rank leaves

std::set<std::string> names_in(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.insert(entry.path().filename());
  return names;
}

// The anonymous memory files that a process maps, as the numbers of their inodes.
std::set<std::string> unnamed_memory_of(const std::filesystem::path& process) {
  std::set<std::string> inodes;
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/memfd:wansweep (deleted)") == std::string::npos) continue;
    std::istringstream words(line);
    std::string range, access, offset, device, inode;
    words >> range >> access >> offset >> device >> inode;
    inodes.insert(inode);
  }
  return inodes;
}

// The anonymous memory files of all processes that this user may look at.
std::set<std::string> unnamed_memory() {
  std::set<std::string> inodes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) inodes.merge(unnamed_memory_of(entry.path()));
  return inodes;
}

TEST(Transport, AKilledRankLeavesNoSharedMemoryBehind) {
  const std::set<std::string> names_before = names_in("/dev/shm");
  const std::string out = make_directory("killed-shared");
  std::set<std::string> shared;
  {
    RunningWorker worker(2, arguments("layerwise", "0.02") + Words{"--host-store", "shared", "--steps", "27"}, out);
    for (int i = 0; i < 100 && !std::filesystem::exists(out + "/rank-0001.h5"); ++i) nap(100);
    const pid_t killed = worker.process_of(1);
    shared = unnamed_memory_of("/proc/" + std::to_string(killed));
    EXPECT_GE(shared.size(), 3u) << "the heartbeats, and a segment of each rank";
    ::kill(killed, SIGKILL);
    EXPECT_NE(worker.wait().exit_code, 0);
  }
  const auto still_there = [&] {
    const std::set<std::string> all = unnamed_memory();
    return std::ranges::any_of(shared, [&](const std::string& inode) { return all.contains(inode); });
  };
  for (int i = 0; i < 50 && still_there(); ++i) nap(100);
  EXPECT_FALSE(still_there());
  for (const std::string& name : names_in("/dev/shm")) {
    EXPECT_TRUE(names_before.contains(name) || name.find("wansweep") == std::string::npos) << name;
  }
  std::filesystem::remove_all(out);
}

// --- what is refused

void expect_refused(int ranks, const Words& words, ExitCode code, const std::string& part) {
  const WorkerResult run = run_worker(ranks, words, make_directory("refused"));
  EXPECT_EQ(run.exit_code, static_cast<int>(code)) << run.err;
  EXPECT_NE(run.err.find(part), std::string::npos) << run.err;
  std::filesystem::remove_all(run.out);
}

TEST(Transport, CooperationNeedsAnotherRank) {
  expect_refused(1, arguments("layerwise") + Words{"--cooperative", "on"}, ExitCode::bad_input,
                 "cooperative is on with 1 rank");
}

TEST(Transport, ChunksThatCostMoreThanTheyMoveAreRefused) {
  expect_refused(1, arguments("layerwise") + Words{"--chunk-bytes", "5"}, ExitCode::bad_input,
                 "chunk_bytes is 5; 0 (no chunks) or at least 4096 is needed");
}

TEST(Transport, ASharedStoreIsCheckedAgainstTheNodeBeforeItIsLoaded) {
  const Words true_size{"--model-id",   "t2v-a14b", "--weights",       "random:1", "--size",    "64x64",
                        "--frames",     "5",        "--steps",         "1",        "--offload", "layerwise",
                        "--host-store", "shared",   "--device-memory", "200"};
  setenv("WANSWEEP_HOST_MEMORY", "20", 1);
  expect_refused(2, true_size, ExitCode::host_memory, "GiB that the 2 ranks of a node share");
  unsetenv("WANSWEEP_HOST_MEMORY");
}

}  // namespace
}  // namespace wansweep::test
