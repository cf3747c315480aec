// Files that real programs left (real/README.md): a run by diffusers on an H100, with the profiler's trace and step
// record, a perf dump that SGLang's own code wrote, and the records of two ranks of diffusers on a CPU.

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/imports/import_run.h"
#include "orchestrator/store/gather.h"
#include "schema/setting_fields.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

constexpr double recorded_total = 8.636152106;  // seconds: first step's start to last step's end, by the step record

class RealFilesTest : public testing::Test {
 protected:
  static std::string real(const std::string& name, const std::string& run = "h100-swap.") {
    return WANSWEEP_SOURCE_DIR "/tests/orchestrator/imports/real/" + run + name;
  }

  ImportReport import_files(const std::string& run, const std::vector<std::string>& files, const std::string& engine,
                            const std::string& offload = "swap") {
    ImportRequest request;
    request.directory = directory_ / "imported";
    request.run = run;
    request.files = files;
    for (const auto& [name, value] : std::vector<std::pair<const char*, nlohmann::json>>{
             {"engine", engine}, {"offload", offload}, {"flow_shift", 12}, {"boundary_ratio", 0.875}}) {
      set_field(request.settings, name, value, "test");
    }
    return import_run(request);
  }

  Store gathered() {
    Store store = open_store(directory_ / "results.db");
    const GatherReport report = gather(directory_ / "imported", store);
    for (const std::string& problem : report.problems) ADD_FAILURE() << problem;
    return store;
  }

  static double number(Store& store, const std::string& sql) {
    SQLite::Statement query(store.db, sql);
    return query.executeStep() && !query.getColumn(0).isNull() ? query.getColumn(0).getDouble() : -1;
  }

  TemporaryDirectory directory_;
};

TEST_F(RealFilesTest, ARecordAndATraceTellWhereASwapSpentItsTime) {
  const ImportReport report = import_files("diffusers", {real("steps.json"), real("trace.json.gz")}, "diffusers");
  EXPECT_EQ(report.steps, 6);
  EXPECT_GT(report.events, 8000);
  Store store = gathered();
  EXPECT_NEAR(number(store, "SELECT total_ns / 1e9 FROM attempt_time"), recorded_total, 1e-6);
  EXPECT_EQ(number(store, "SELECT switch_step FROM attempt_time"), 5);
  EXPECT_NEAR(number(store, "SELECT spike_ns / 1e9 FROM attempt_time"), 6.091, 0.001);
  // One expert out, from pageable memory and so slowly, then the other in.
  EXPECT_EQ(number(store, "SELECT d2h_bytes FROM step_summary WHERE step = 5"), 6088796298);
  EXPECT_EQ(number(store, "SELECT h2d_bytes FROM step_summary WHERE step = 5"), 6088796312);
  EXPECT_NEAR(number(store, "SELECT d2h_ns / 1e9 FROM step_summary WHERE step = 5"), 4.5545, 0.001);
  EXPECT_NEAR(number(store, "SELECT exposed_transfer_ns / 1e9 FROM step_summary WHERE step = 5"), 5.477, 0.01);
  EXPECT_EQ(number(store, "SELECT h2d_bytes FROM step_summary WHERE step = 3"), 24);
  EXPECT_GT(number(store, "SELECT sum(duration_ns) FROM events WHERE kind = 'attention'"), 0);
  EXPECT_EQ(number(store, "SELECT value = 'NVIDIA H100 80GB HBM3' FROM environment WHERE name = 'device.name'"), 1);
}

TEST_F(RealFilesTest, ATraceAndASglangDumpTellTheSame) {
  const ImportReport report = import_files("sglang", {real("perf.json"), real("trace.json.gz")}, "sglang");
  EXPECT_EQ(report.steps, 6);
  Store store = gathered();
  const double total = number(store, "SELECT total_ns / 1e9 FROM attempt_time");
  EXPECT_NEAR(total, recorded_total, 0.01 * recorded_total);
  EXPECT_EQ(number(store, "SELECT switch_step FROM attempt_time"), 5);
  EXPECT_EQ(number(store, "SELECT device_peak FROM attempt_waits"), 7404.0 * 1048576);
  EXPECT_NEAR(number(store, "SELECT total_s FROM timeline WHERE rank = 0"), recorded_total, 0.01 * recorded_total);
  EXPECT_NEAR(number(store, "SELECT exposed_transfer_s FROM timeline WHERE rank = 0"), 6.288, 0.02);
  EXPECT_EQ(number(store, "SELECT value = 'device' FROM environment WHERE name = 'steps_marked_by'"), 1);
}

// The run had flow_shift 12; SGLang 0.5.9 takes 3 for its path, with which the experts switch at step 3. The swap is in
// step 5.
TEST_F(RealFilesTest, AConcludedSwitchThatTheStepsContradictIsUnknown) {
  ImportRequest request;
  request.directory = directory_ / "imported";
  request.run = "sglang";
  request.files = {real("perf.json"), real("trace.json.gz")};
  set_field(request.settings, "offload", "swap", "test");
  set_field(request.settings, "model_id", "t2v-a14b", "test");
  const ImportReport report = import_run(request);
  const auto says = [&](const std::string& part) {
    return std::ranges::any_of(report.notes, [&](const std::string& note) { return note.find(part) != note.npos; });
  };
  EXPECT_TRUE(
      says("step 5 took 6.3 s, but flow_shift 3, which wansweep concluded, puts the switch at step 3; flow_shift "
           "12 would put it at step 5; tell it with --set flow_shift=12"));
  EXPECT_FALSE(says("the experts switch at step 3"));
  Store store = gathered();
  EXPECT_EQ(number(store, "SELECT switch_step FROM attempt_time"), -1);
  EXPECT_EQ(number(store, "SELECT spike_ns FROM attempt_time"), -1);
  EXPECT_EQ(number(store, "SELECT expected_switch FROM run"), -1);
  EXPECT_EQ(number(store, "SELECT count(*) FROM configuration_drift WHERE setting = 'flow_shift' AND used IS NOT NULL"),
            0)
      << "nobody told it";
  EXPECT_EQ(number(store, "SELECT count(*) FROM switch_steps WHERE verdict IS NULL"), 1);
  set_field(request.settings, "flow_shift", 12, "test");
  import_run(request);
  store = gathered();
  EXPECT_EQ(number(store, "SELECT switch_step FROM attempt_time t JOIN current_attempt a ON a.id = t.attempt_id"), 5);
}

// SGLang 0.5.23's own `generate`: its log tells the settings, its trace the steps, less the one before the profiler
// began and less the decoding.
TEST_F(RealFilesTest, ALogTellsTheSettingsOfATraceThatHasNoDump) {
  ImportRequest request;
  request.directory = directory_ / "imported";
  request.run = "log";
  request.files = {real("log", "sglang-cpu."), real("rank-0.trace.json.gz", "sglang-cpu.")};
  const ImportReport report = import_run(request);
  EXPECT_EQ(report.steps, 5);
  const RunSettings settings = read_settings(report.attempt + "/spec.json");
  for (const auto& [name, value] : std::vector<std::pair<const char*, nlohmann::json>>{{"engine", "sglang"},
                                                                                       {"offload", "layerwise"},
                                                                                       {"size", "64x64"},
                                                                                       {"frames", 17},
                                                                                       {"steps", 6},
                                                                                       {"flow_shift", 12.0},
                                                                                       {"boundary_ratio", 0.875},
                                                                                       {"guidance_scale", 4.0},
                                                                                       {"host_memory", "pinned"},
                                                                                       {"ulysses", 1}}) {
    EXPECT_EQ(get_field(settings, *find_field(name)), value) << name;
    EXPECT_EQ(settings.origins.at(name).origin, "log") << name;
  }
  EXPECT_EQ(settings.origins.at("guidance_scale_2").origin, "unknown");
  EXPECT_EQ(settings.origins.at("engine_version").origin, "unknown");
  Store store = gathered();
  constexpr double dumped =
      23.0746 + 21.7420 + 21.7332 + 27.5308 + 22.1951;  // ms, of steps 2 to 6 in sglang-cpu.perf.json
  EXPECT_NEAR(number(store, "SELECT total_ns / 1e6 FROM attempt_time"), dumped, 0.01 * dumped);
}

TEST_F(RealFilesTest, ALogAndADumpOfOneRunAgree) {
  ImportRequest request;
  request.directory = directory_ / "imported";
  request.run = "dump";
  request.files = {real("perf.json", "sglang-cpu."), real("log", "sglang-cpu."),
                   real("rank-0.trace.json.gz", "sglang-cpu.")};
  set_field(request.settings, "engine", "sglang", "test");
  EXPECT_EQ(import_run(request).steps, 6);
  set_field(request.settings, "frames", 81, "test");
  request.replace = true;
  expect_error(ExitCode::bad_input, "frames is 81, but", [&] { import_run(request); });
}

TEST_F(RealFilesTest, TwoRanksOfOneRunAreOneAttempt) {
  const ImportReport report =
      import_files("two", {real("0.steps.json", "cpu-two-ranks."), real("1.steps.json", "cpu-two-ranks.")}, "diffusers",
                   "layerwise");
  EXPECT_EQ(report.steps, 6);
  Store store = gathered();
  EXPECT_EQ(number(store, "SELECT count(*) FROM rank"), 2);
  EXPECT_EQ(number(store, "SELECT count(*) FROM step"), 12);
  EXPECT_NEAR(number(store, "SELECT total_ns / 1e9 FROM attempt_time"), 0.254158875, 1e-6);
  EXPECT_EQ(number(store, "SELECT switch_step FROM attempt_time"), 5);
  EXPECT_EQ(
      number(store,
             "SELECT latents_digest = 'dff410bda6be1e734f5b93a95f679a3d260423e7b2627d004075752a06a9f95f' FROM attempt"),
      1);
  EXPECT_EQ(number(store, "SELECT device_peak FROM attempt_waits"), -1) << "PyTorch does not count on the CPU";
}

// Without a GPU the profiler records no work of a device: how a rank spent its time is unknown, and is not idle time.
TEST_F(RealFilesTest, TracesOfTwoRanksOnACpuTellTheStepsAndNoIdleTime) {
  std::vector<std::string> files;
  for (const char* name : {"0.steps.json", "1.steps.json", "0.trace.json.gz", "1.trace.json.gz"}) {
    files.push_back(real(name, "cpu-profiled."));
  }
  const ImportReport report = import_files("profiled", files, "diffusers", "layerwise");
  EXPECT_EQ(report.steps, 6);
  EXPECT_EQ(report.events, 0);
  EXPECT_EQ(
      std::ranges::count_if(report.notes,
                            [](const std::string& note) { return note.find("has no work of a device") != note.npos; }),
      2);
  Store store = gathered();
  EXPECT_EQ(number(store, "SELECT count(*) FROM rank"), 2);
  EXPECT_NEAR(number(store, "SELECT total_ns / 1e9 FROM attempt_time"), 0.456, 0.01 * 0.456);  // of rank 0's record
  EXPECT_EQ(number(store, "SELECT count(*) FROM timeline WHERE idle_s IS NOT NULL OR compute_s IS NOT NULL"), 0);
}

// Two GPUs of one host: each rank's parts of its time add up to the wall time of the record.
TEST_F(RealFilesTest, TheTimelinesOfTwoRanksOnTwoGpusAddUpToTheWallTime) {
  std::vector<std::string> files;
  for (const char* name : {"0.steps.json", "1.steps.json", "0.trace.json.gz", "1.trace.json.gz"}) {
    files.push_back(real(name, "h200-two-ranks."));
  }
  EXPECT_EQ(import_files("two-gpus", files, "diffusers").steps, 6);
  Store store = gathered();
  constexpr double wall = 4.324910;  // seconds: first step's start to last step's end, by rank 0's record
  EXPECT_NEAR(number(store, "SELECT total_ns / 1e9 FROM attempt_time"), wall, 0.01 * wall);
  EXPECT_EQ(number(store, "SELECT count(*) FROM timeline WHERE rank IS NOT NULL"), 2);
  for (const int rank : {0, 1}) {
    const double parts =
        number(store, fmt::format("SELECT compute_s + exposed_exchange_s + exposed_transfer_s + both_exposed_s + "
                                  "waits_for_peers_s + waits_for_host_s + idle_s FROM timeline WHERE rank = {}",
                                  rank));
    EXPECT_NEAR(parts, wall, 0.01 * wall) << rank;
  }
  EXPECT_EQ(number(store, "SELECT switch_step FROM attempt_time"), 5);
  EXPECT_GT(number(store, "SELECT moving_ns FROM attempt_exchanges"), 0) << "the ranks exchange through NCCL";
}

TEST_F(RealFilesTest, NearlyAllOfTheDevicesTimeIsInKernelsThatAreKnown) {
  const ImportReport report = import_files("diffusers", {real("steps.json"), real("trace.json.gz")}, "diffusers");
  for (const std::string& note : report.notes) {
    const bool of_kernels = note.find("match no pattern") != note.npos;
    EXPECT_TRUE(!of_kernels || note.find(", 0.0 % of the device's time") != note.npos) << note;
  }
}

}  // namespace
}  // namespace wansweep
