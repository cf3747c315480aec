#include "orchestrator/imports/perf_dump.h"

#include <gtest/gtest.h>

#include <string>

#include "orchestrator/imports/engine_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

// As SGLang 0.5.9's dump_benchmark_report writes it.
constexpr const char* dump = R"({
  "timestamp": "2026-11-26T16:00:00+00:00", "request_id": "r", "commit_hash": "abc", "tag": "cli_generate",
  "total_duration_ms": 4000.5,
  "steps": [{"name": "TextEncodingStage", "duration_ms": 900.25}, {"name": "DenoisingStage", "duration_ms": 3000.0}],
  "denoise_steps_ms": [{"step": 0, "duration_ms": 1500.5}, {"step": 1, "duration_ms": 1000.25}],
  "memory_checkpoints": {
    "after_DenoisingStage": {"allocated_mb": 10.0, "reserved_mb": 100.0, "peak_allocated_mb": 20.0, "peak_reserved_mb": 200.5},
    "after_DecodingStage": {"allocated_mb": 10.0, "reserved_mb": 120.0, "peak_allocated_mb": 20.0, "peak_reserved_mb": 150.0}
  },
  "meta": {"prompt": "a cat", "model": "./models/wan2.2"}
})";

class PerfDumpTest : public testing::Test {
 protected:
  std::string file(const std::string& text, const std::string& name = "perf.json") {
    return write_text(directory_ / name, text);
  }
  TemporaryDirectory directory_;
  KernelClasses classes_;
};

TEST_F(PerfDumpTest, StepsStagesAndMemoryOfSglangAreRead) {
  const EngineTrace trace = read_engine_file(file(dump), classes_);
  EXPECT_EQ(trace.kind, EngineFileKind::perf_dump);
  EXPECT_EQ(trace.rank, 0);
  EXPECT_FALSE(trace.has_times);
  EXPECT_FALSE(trace.tells_events);
  ASSERT_EQ(trace.steps.size(), 2u);
  EXPECT_EQ(trace.steps[1].step, 2);
  EXPECT_EQ(trace.steps[1].end_ns - trace.steps[1].start_ns, 1'000'250'000);
  EXPECT_EQ(trace.device_peak, static_cast<int64_t>(200.5 * 1048576));
  EXPECT_EQ(trace.environment.at("stage_ms.DenoisingStage"), "3000.000");
  EXPECT_EQ(trace.environment.at("meta.prompt"), "a cat");
  EXPECT_EQ(trace.settings.at("model"), "./models/wan2.2");
}

TEST_F(PerfDumpTest, ACommitThatIsAReleaseIsTheEnginesVersion) {
  const auto version = [&](const std::string& commit) {
    const EngineTrace trace = read_perf_dump(file(R"({"total_duration_ms": 1, "commit_hash": ")" + commit + R"("})"));
    EXPECT_EQ(trace.environment.at("commit_hash"), commit);
    const auto found = trace.settings.find("engine_version");
    return found == trace.settings.end() ? "" : found->second;
  };
  EXPECT_EQ(version("0.5.9"), "0.5.9");
  EXPECT_EQ(version("v0.5.10.post1"), "0.5.10.post1");
  EXPECT_EQ(version("0123456789abcdef0123456789abcdef01234567"), "");
  EXPECT_EQ(version("N/A"), "");
}

TEST_F(PerfDumpTest, ADumpOfSglang056HasNoStepsAndSaysSo) {
  const EngineTrace trace = read_perf_dump(file(R"({"total_duration_ms": 1, "steps": [], "meta": {}})"));
  EXPECT_TRUE(trace.steps.empty());
  ASSERT_EQ(trace.notes.size(), 1u);
}

TEST_F(PerfDumpTest, ADamagedDumpIsRefused) {
  for (const char* text : {R"({"total_duration_ms": 1, "denoise_steps_ms": [{"step": 0}]})",
                           R"({"total_duration_ms": 1, "denoise_steps_ms": [{"duration_ms": -1}]})",
                           R"({"total_duration_ms": 1, "denoise_steps_ms": [{"duration_ms": "x"}]})"}) {
    expect_error(ExitCode::bad_input, "has no valid duration_ms; a number of milliseconds is needed",
                 [&] { read_perf_dump(file(text)); });
  }
  expect_error(ExitCode::bad_input, "denoise_steps_ms is not a list",
               [&] { read_perf_dump(file(R"({"denoise_steps_ms": 3})")); });
  expect_error(ExitCode::bad_input, "perf.json: is not JSON",
               [&] { read_perf_dump(file(std::string(dump).substr(0, 300))); });
}

TEST_F(PerfDumpTest, AStepRecordHasItsOwnTimes) {
  const EngineTrace trace = read_engine_file(
      file(R"({"format": "wansweep-steps-1", "rank": 1, "ranks": 2, "host": "n3", "latents_sha256": "ab",
               "engine": {"name": "diffusers", "version": "0.42.1"}, "environment": {"device": {"name": "H100"}},
               "steps": [{"step": 1, "expert": 1, "timestep": 999, "sigma": 0.99, "start_ns": 5, "end_ns": 9,
                          "device_used": 7, "device_peak": 8}]})",
           "steps-rank-0001.json"),
      classes_);
  EXPECT_EQ(trace.kind, EngineFileKind::step_record);
  EXPECT_EQ(trace.rank, 1);
  EXPECT_EQ(trace.host, "n3");
  ASSERT_EQ(trace.steps.size(), 1u);
  EXPECT_EQ(trace.steps[0].device_peak, 8);
  EXPECT_EQ(trace.environment.at("engine.version"), "0.42.1");
  EXPECT_EQ(trace.environment.at("device.name"), "H100");
}

TEST_F(PerfDumpTest, ARecordWhoseStepsGoBackIsRefused) {
  const auto with = [](const std::string& steps) {
    return R"({"format": "wansweep-steps-1", "rank": 0, "ranks": 1, "steps": )" + steps + "}";
  };
  expect_error(ExitCode::bad_input, "step 1 comes after step 1; steps must ascend", [&] {
    read_step_record(file(with(R"([{"step":1,"start_ns":1,"end_ns":2},{"step":1,"start_ns":2,"end_ns":3}])")));
  });
  expect_error(ExitCode::bad_input, "is not a step",
               [&] { read_step_record(file(with(R"([{"step":1,"start_ns":3,"end_ns":2}])"))); });
  expect_error(ExitCode::bad_input, "format is \"wansweep-steps-9\"; wansweep-steps-1 is needed",
               [&] { read_engine_file(file(R"({"format": "wansweep-steps-9"})"), classes_); });
}

TEST_F(PerfDumpTest, AFileThatNobodyCanImportIsSaidToBeSo) {
  expect_error(ExitCode::bad_input, "is empty", [&] { read_engine_file(file(""), classes_); });
  expect_error(ExitCode::bad_input, "cannot be imported",
               [&] { read_engine_file(file(std::string("\x7f\x45\x4c\x46\0\0\0", 7)), classes_); });
  expect_error(ExitCode::bad_input, "is a trace of wansweep-worker; read it with `wansweep gather`",
               [&] { read_engine_file(file("\x89HDF\r\n\x1a\n", "rank-0000.h5"), classes_); });
  expect_error(ExitCode::bad_input, "none.json: ", [&] { read_engine_file(directory_ / "none.json", classes_); });
}

}  // namespace
}  // namespace wansweep
