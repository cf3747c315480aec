#include "orchestrator/imports/import_run.h"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "orchestrator/store/gather.h"
#include "schema/setting_fields.h"
#include "schema/trace_file.h"
#include "tests/orchestrator/imports/trace_builder.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class ImportRunTest : public testing::Test {
 protected:
  // Two steps of 1 ms: a copy, alone for a quarter of the step, then attention, then an exchange.
  std::string trace(int rank, const std::string& name = "", double later = 0) {
    TraceBuilder builder;
    builder.rank(rank, 2);
    for (const int step : {0, 1}) {
      const double at = 1000 + 1000 * step + later;
      builder.step(step, at, 990);
      builder.event("gpu_memcpy", "Memcpy HtoD (Pinned -> Device)", at, 250, {{"bytes", 1000000}});
      builder.event("kernel", "flash_fwd_kernel", at + 250, 500);
      builder.event("kernel", "ncclDevKernel_SendRecv", at + 750, 250,
                    {{"Collective name", "all_to_allv"}, {"In msg nelems", 1000}, {"dtype", "BFloat16"}});
    }
    const std::string file = directory_ / (name.empty() ? fmt::format("rank{}.trace.json.gz", rank) : name);
    write_gzip(file, builder.text());
    return file;
  }

  std::string dump() {
    return write_text(directory_ / "perf.json",
                      R"({"total_duration_ms": 9, "steps": [{"name": "DenoisingStage", "duration_ms": 2.1}],
                          "denoise_steps_ms": [{"step": 0, "duration_ms": 1.02}, {"step": 1, "duration_ms": 1.03}],
                          "memory_checkpoints": {"a": {"reserved_mb": 8.0, "peak_reserved_mb": 16.0}},
                          "meta": {"model": "./models/wan2.2"}})");
  }

  ImportRequest request(std::vector<std::string> files) {
    ImportRequest request;
    request.directory = directory_ / "imported";
    request.run = "swap-2gpu";
    request.files = std::move(files);
    for (const auto& [name, value] : std::vector<std::pair<const char*, nlohmann::json>>{
             {"engine", "sglang"}, {"engine_version", "0.5.9"}, {"offload", "swap"}}) {
      set_field(request.settings, name, value, "test");
    }
    return request;
  }

  Store gathered() {
    Store store = open_store(directory_ / "results.db");
    const GatherReport report = gather(directory_ / "imported", store);
    for (const std::string& problem : report.problems) ADD_FAILURE() << problem;
    return store;
  }

  static std::string one(Store& store, const std::string& sql) {
    SQLite::Statement query(store.db, sql);
    if (!query.executeStep()) return "no row";
    return query.getColumn(0).isNull() ? "null" : query.getColumn(0).getString();
  }

  TemporaryDirectory directory_;
};

TEST_F(ImportRunTest, ARunMadeElsewhereIsGatheredAsAnyOther) {
  const ImportReport report = import_run(request({dump(), trace(0), trace(1)}));
  EXPECT_EQ(report.ranks, 2);
  EXPECT_EQ(report.steps, 2);
  EXPECT_EQ(report.events, 12);
  EXPECT_TRUE(fs::exists(report.attempt + "/imported/perf.json"));
  Store store = gathered();
  EXPECT_EQ(one(store, "SELECT count(*) FROM attempt WHERE complete = 1"), "1");
  EXPECT_EQ(one(store, "SELECT engine FROM run_settings"), "sglang");
  EXPECT_EQ(one(store, "SELECT configuration FROM run_settings"), "engine sglang, all");
  EXPECT_EQ(one(store, "SELECT offload FROM run_settings"), "swap");
  EXPECT_EQ(one(store, "SELECT ranks FROM run_settings"), "2");
  EXPECT_EQ(one(store, "SELECT total_ns FROM attempt_time"), "1990000");
  EXPECT_EQ(one(store, "SELECT sum(duration_ns) FROM events WHERE kind = 'attention'"), "2000000");
  EXPECT_EQ(one(store, "SELECT value FROM environment WHERE name = 'stage_ms.DenoisingStage'"), "2.100");
}

TEST_F(ImportRunTest, WhatNobodyToldIsNullInTheDatabase) {
  import_run(request({trace(0), trace(1)}));
  Store store = gathered();
  for (const char* name : {"flow_shift", "seed", "host_memory", "link_bandwidth", "communicator", "keep_steps"}) {
    EXPECT_EQ(one(store, fmt::format("SELECT value FROM setting WHERE name = '{}'", name)), "null") << name;
  }
  EXPECT_EQ(one(store, "SELECT value FROM setting WHERE name = 'steps'"), "null");  // no dump says how many there were
  EXPECT_EQ(one(store, "SELECT latents_digest FROM attempt"), "null");
  EXPECT_EQ(one(store, "SELECT expert FROM step"), "null");
  EXPECT_EQ(one(store, "SELECT launcher FROM attempt"), "null");
  EXPECT_EQ(one(store, "SELECT first_load_ns FROM rank"), "null");
  EXPECT_EQ(one(store, "SELECT stall_peers_ns FROM step_summary"), "null");
  EXPECT_EQ(one(store, "SELECT exposed_transfer_ns FROM step_summary WHERE step = 1"), "250000");
}

TEST_F(ImportRunTest, ADumpAloneHasTimesOfStepsAndPeakMemoryAndNoMore) {
  import_run(request({dump()}));
  Store store = gathered();
  EXPECT_EQ(one(store, "SELECT total_ns FROM attempt_time"), "2050000");
  EXPECT_EQ(one(store, "SELECT device_peak FROM attempt_waits"), "16777216");
  EXPECT_EQ(one(store, "SELECT exposed_transfer_ns FROM attempt_waits"), "null");
  EXPECT_EQ(one(store, "SELECT moving_ns FROM attempt_exchanges"), "null");
  EXPECT_EQ(one(store, "SELECT waiting_ns FROM attempt_exchanges"), "null");
  EXPECT_EQ(one(store, "SELECT exchange_moving_s FROM offload_comparison"), "null");
  EXPECT_EQ(one(store, "SELECT hidden_s FROM exposed_transfer"), "no row");
  EXPECT_EQ(one(store, "SELECT host_peak FROM memory"), "null");
  EXPECT_EQ(one(store, "SELECT count(*) FROM timeline"), "0");
  EXPECT_EQ(one(store, "SELECT total_s FROM offload_comparison"), "0.002");
}

TEST_F(ImportRunTest, TheSameFilesAgainChangeNothing) {
  const ImportReport first = import_run(request({dump(), trace(0), trace(1)}));
  const ImportReport again = import_run(request({dump(), trace(0), trace(1)}));
  EXPECT_TRUE(again.unchanged);
  EXPECT_EQ(again.attempt, first.attempt);
  Store store = gathered();
  const GatherReport report = gather(directory_ / "imported", store);
  EXPECT_EQ(report.unchanged, 1);
  EXPECT_EQ(one(store, "SELECT count(*) FROM attempt"), "1");
}

TEST_F(ImportRunTest, FilesThatComeLaterMakeANewAttemptOfAllOfThem) {
  ImportRequest of_dump = request({dump()});
  set_field(of_dump.settings, "ranks", 2, "test");
  import_run(of_dump);
  const ImportReport later = import_run(request({trace(0), trace(1)}));
  EXPECT_TRUE(later.attempt.ends_with("/swap-2gpu-a2")) << later.attempt;
  EXPECT_EQ(later.ranks, 2);
  EXPECT_TRUE(import_run(request({dump()})).unchanged);
  Store store = gathered();
  EXPECT_EQ(one(store, "SELECT count(*) FROM current_attempt"), "1");
  EXPECT_EQ(one(store, "SELECT device_peak FROM attempt_waits w JOIN current_attempt a ON a.id = w.attempt_id"),
            "16777216");
}

TEST_F(ImportRunTest, AMisresolvedPathOfAnImportedRunIsConfigurationDrift) {
  ImportRequest of_dump = request({dump()});
  set_field(of_dump.settings, "model_id", "t2v-a14b", "test");
  const ImportReport report = import_run(of_dump);
  EXPECT_FALSE(report.notes.empty());
  Store store = gathered();
  EXPECT_EQ(one(store,
                "SELECT used || ' ' || origin || ' ' || catalog FROM configuration_drift WHERE setting = 'flow_shift'"),
            "3 sglang-0.5.9 12");
  EXPECT_EQ(one(store, "SELECT value FROM setting WHERE name = 'model'"), "./models/wan2.2");
  EXPECT_EQ(one(store, "SELECT value FROM setting WHERE name = 'frames'"), "null");
}

TEST_F(ImportRunTest, ASettingThatNobodyToldIsListedBesideTheOfficialOne) {
  ImportRequest asked = request({trace(0), trace(1)});
  const auto untold = [](Store& store) {
    return one(
        store,
        "SELECT group_concat(setting || ' ' || coalesce(catalog, '-'), ', ') FROM configuration_drift WHERE used "
        "IS NULL AND origin = 'unknown'");
  };
  import_run(asked);
  Store before = gathered();
  EXPECT_EQ(untold(before), "flow_shift -, guidance_scale -, model_id -");
  set_field(asked.settings, "model_id", "t2v-a14b", "test");
  import_run(asked);
  Store store = gathered();
  EXPECT_EQ(untold(store), "boundary_ratio 0.875, flow_shift 12, guidance_scale 4, guidance_scale_2 3");
}

TEST_F(ImportRunTest, RanksAndPlanAreNullWhereNoFileTellsThem) {
  import_run(request({dump()}));
  Store store = gathered();
  EXPECT_EQ(one(store, "SELECT ranks FROM run_settings"), "null");
  EXPECT_EQ(one(store, "SELECT cfg FROM run"), "null");
  EXPECT_EQ(one(store, "SELECT ulysses FROM run"), "null");
  EXPECT_EQ(one(store, "SELECT plan FROM offload_comparison"), "?x?");
  EXPECT_EQ(one(store, "SELECT total_s FROM offload_comparison"), "0.002");
  EXPECT_EQ(one(store, "SELECT count(*) FROM run_times"), "1");
}

TEST_F(ImportRunTest, ALaterFileTellsWhatWasUnknown) {
  import_run(request({dump()}));
  Store before = gathered();
  EXPECT_EQ(one(before, "SELECT ranks FROM run_settings"), "null");
  const ImportReport later = import_run(request({trace(0), trace(1)}));
  EXPECT_EQ(later.ranks, 2);
  Store store = gathered();
  EXPECT_EQ(one(store, "SELECT ranks FROM run_settings"), "2");
  EXPECT_EQ(one(store, "SELECT count(*) FROM run"), "1");
  EXPECT_EQ(one(store, "SELECT n FROM current_attempt"), "2");
  ImportRequest more = request({dump()});
  set_field(more.settings, "flow_shift", 12, "test");
  EXPECT_FALSE(import_run(more).unchanged);
  EXPECT_TRUE(import_run(more).unchanged);
  Store last = gathered();
  EXPECT_EQ(one(last, "SELECT flow_shift FROM run_settings"), "12.0");
}

TEST_F(ImportRunTest, TheRecordHasTheDigestOfEachFile) {
  const ImportReport report = import_run(request({dump(), trace(0), trace(1)}));
  const nlohmann::json record = read_json_object(report.attempt + "/attempt.json");
  ASSERT_EQ(record.at("files").size(), 3u);
  EXPECT_EQ(record["files"][0]["file"], "perf.json");
  EXPECT_EQ(record["files"][0]["sha256"], sha256_file(dump()));
  EXPECT_FALSE(record.contains("replaces"));
}

TEST_F(ImportRunTest, AFileBelongsToOneRunOfASweep) {
  import_run(request({dump()}));
  ImportRequest again = request({dump()});
  again.run = "swap-second";
  again.repeat = 2;
  expect_error(ExitCode::bad_input,
               "perf.json: is imported already, as run swap-2gpu (repeat 1); a file belongs to one run",
               [&] { import_run(again); });
}

TEST_F(ImportRunTest, TheSameRepeatOfTheSameSettingsIsOneRun) {
  import_run(request({dump()}));
  ImportRequest other = request({write_text(directory_ / "other.json", R"({"total_duration_ms": 9,
      "denoise_steps_ms": [{"step": 0, "duration_ms": 2.02}, {"step": 1, "duration_ms": 2.03}],
      "meta": {"model": "./models/wan2.2"}})")});
  other.run = "swap-second";
  expect_error(ExitCode::bad_input,
               "--repeat 1: run swap-2gpu is repeat 1 of the same settings; give --repeat 2 to make run swap-second",
               [&] { import_run(other); });
  other.repeat = 2;
  EXPECT_FALSE(import_run(other).unchanged);
  EXPECT_TRUE(import_run(other).unchanged);
  Store store = gathered();
  EXPECT_EQ(one(store, "SELECT runs FROM offload_comparison"), "2");
}

TEST_F(ImportRunTest, ARunIsNotAddedToUnderAnotherRepeat) {
  import_run(request({dump()}));
  ImportRequest second = request({dump()});
  second.repeat = 2;
  expect_error(ExitCode::bad_input,
               "--repeat 2: run swap-2gpu is there as repeat 1, and each repeat is a run with a name of its own: give "
               "--run swap-2gpu-2 --repeat 2 for another repeat, or --replace to correct the number of run swap-2gpu",
               [&] { import_run(second); });
  second.replace = true;
  EXPECT_FALSE(import_run(second).unchanged);
  Store store = gathered();
  EXPECT_EQ(one(store, "SELECT repeat FROM run"), "2");
}

TEST_F(ImportRunTest, OtherFilesTakeThePlaceOfARunsOnlyWhenAsked) {
  import_run(request({dump()}));
  Store before = gathered();
  ImportRequest other = request({write_text(directory_ / "other.json", R"({"total_duration_ms": 9,
      "denoise_steps_ms": [{"step": 0, "duration_ms": 2.02}, {"step": 1, "duration_ms": 2.03}]})")});
  set_field(other.settings, "flow_shift", 12, "test");
  expect_error(ExitCode::bad_input, "--replace puts them in place of its files", [&] { import_run(other); });
  other.replace = true;
  EXPECT_TRUE(import_run(other).attempt.ends_with("-a2"));
  EXPECT_TRUE(import_run(other).unchanged);
  for (int gather = 0; gather < 2; ++gather) {
    Store store = gathered();
    EXPECT_EQ(one(store, "SELECT count(*) FROM run"), "1");
    EXPECT_EQ(one(store, "SELECT total_s FROM offload_comparison"), "0.004");
    EXPECT_EQ(one(store, "SELECT flow_shift FROM run_settings"), "12.0");
  }
  fs::remove(directory_ / "results.db");
  Store anew = gathered();
  EXPECT_EQ(one(anew, "SELECT count(*) FROM attempt"), "1") << "what was replaced before it was gathered is left out";
}

TEST_F(ImportRunTest, SettingsThatContradictTheRunsAreRefused) {
  import_run(request({trace(0), trace(1)}));
  ImportRequest other = request({dump()});
  set_field(other.settings, "offload", "layerwise", "test");
  expect_error(ExitCode::bad_input, "offload is \"layerwise\", but run swap-2gpu was imported with \"swap\"",
               [&] { import_run(other); });
}

TEST_F(ImportRunTest, TheEngineAndItsOffloadAreNeeded) {
  ImportRequest nothing = request({trace(0), trace(1)});
  nothing.settings = RunSettings();
  expect_error(ExitCode::bad_input, "engine is not set; give --set engine=sglang or", [&] { import_run(nothing); });
  set_field(nothing.settings, "engine", "sglang", "test");
  expect_error(ExitCode::bad_input, "offload is not set; give --set offload=", [&] { import_run(nothing); });
  ImportRequest named = request({trace(0)});
  named.run = "../evil";
  expect_error(ExitCode::bad_input, "--run is ../evil; only letters", [&] { import_run(named); });
  ImportRequest unfollowed = request({trace(0)});
  set_field(unfollowed.settings, "keep_steps", true, "test");
  expect_error(ExitCode::bad_input, "keep_steps is true, but SGLang does not follow this setting",
               [&] { import_run(unfollowed); });
}

TEST_F(ImportRunTest, ABadFileLeavesNothingBehind) {
  const std::string cut = write_text(directory_ / "rank1.json", R"({"traceEvents": [)");
  expect_error(ExitCode::bad_input, "rank1.json: is cut short", [&] { import_run(request({trace(0), cut})); });
  EXPECT_FALSE(fs::exists(directory_ / "imported"));
}

TEST_F(ImportRunTest, WhatAKillLeftIsNoAttemptAndIsMadeAgain) {
  const std::string building = directory_ / "imported/attempts/.swap-2gpu-a1.importing";
  fs::create_directories(building);
  write_text(building + "/rank-0000.h5", "half");
  import_run(request({trace(0), trace(1)}));
  EXPECT_FALSE(fs::exists(building));
  gathered();
}

TEST_F(ImportRunTest, AnAttemptOfASweepIsCompletedFromWhatItsEngineLeft) {
  const std::string attempt = directory_ / "imported/attempts/r2-sglang-a1";
  fs::create_directories(attempt + "/profile");
  RunSettings settings = request({}).settings;
  settings.ranks = 2;
  settings.steps = 2;
  write_text(attempt + "/spec.json", to_json(settings).dump());
  expect_error(ExitCode::bad_input, "SGLang has written neither a perf dump nor a step record nor a trace here",
               [&] { import_attempt(attempt, ""); });
  fs::rename(trace(0), attempt + "/profile/x-global-rank0.trace.json.gz");
  fs::rename(trace(1), attempt + "/profile/x-global-rank1.trace.json.gz");
  fs::rename(dump(), attempt + "/perf.json");
  write_text(attempt + "/rank-0000.h5", "what a kill left");
  write_text(attempt + "/engine.env", "SGLANG_DIFFUSION_SYNC_STAGE_PROFILING=1\n");
  const ImportReport report = import_attempt(attempt, "");
  EXPECT_NE(read_trace(attempt + "/rank-0000.h5").environment_json.find("\"synchronised\":\"synchronised\""),
            std::string::npos);
  EXPECT_EQ(report.ranks, 2);
  EXPECT_TRUE(fs::exists(attempt + "/completed.json"));
  EXPECT_TRUE(import_attempt(attempt, "").unchanged);
  write_text(attempt + "/profile/y-rank1.trace.json", "{\"traceEvents\": []}");
  expect_error(ExitCode::bad_input, "is not among the files that this attempt was completed with",
               [&] { import_attempt(attempt, ""); });
}

}  // namespace
}  // namespace wansweep
