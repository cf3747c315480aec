#include "orchestrator/imports/kineto_trace.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

#include "orchestrator/imports/engine_file.h"
#include "tests/orchestrator/imports/trace_builder.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

class KinetoTraceTest : public testing::Test {
 protected:
  EngineTrace read(const std::string& text, const std::string& name = "trace.json") {
    return read_kineto_trace(write_text(directory_ / name, text), classes_);
  }
  void expect_refused(const std::string& text, const std::string& part) {
    const std::string file = write_text(directory_ / "bad.json", text);
    expect_error(ExitCode::bad_input, file + ": ", [&] { read_kineto_trace(file, classes_); });
    expect_error(ExitCode::bad_input, part, [&] { read_kineto_trace(file, classes_); });
  }

  TemporaryDirectory directory_;
  KernelClasses classes_;
};

TEST_F(KinetoTraceTest, WorkOfTheDeviceIsClassedByNameAndCollective) {
  TraceBuilder trace;
  trace.rank(1, 4).step(0, 1000, 500);
  trace.event("kernel", "void flash_fwd_kernel<Flash_fwd_kernel_traits<128>>(Flash_fwd_params)", 1000, 10);
  trace.event("kernel", "sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x256", 1010, 20);
  trace.event("kernel", "ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096ul>)", 1030, 30,
              {{"Collective name", "all_to_allv"}, {"In msg nelems", 1000}, {"dtype", "BFloat16"}});
  trace.event("kernel", "ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096ul>)", 1060, 5,
              {{"Collective name", "send"}, {"In msg nelems", 10}, {"dtype", "Float"}});
  trace.event("gpu_memcpy", "Memcpy HtoD (Pinned -> Device)", 1070, 7, {{"bytes", 4096}});
  trace.event("gpu_memcpy", "Memcpy DtoH (Device -> Pageable)", 1080, 8, {{"bytes", 512}});
  trace.event("gpu_memcpy", "Memcpy DtoD (Device -> Device)", 1090, 1, {{"bytes", 64}});
  trace.event("gpu_memset", "Memset (Device)", 1092, 1, {{"bytes", 64}});
  trace.event("kernel", "a_kernel_nobody_knows", 1100, 9);
  trace.event("cpu_op", "aten::mm", 900, 5000);
  const EngineTrace read_back = read(trace.text());
  EXPECT_EQ(read_back.rank, 1);
  EXPECT_EQ(read_back.ranks, 4);
  EXPECT_EQ(read_back.host, "n1");
  EXPECT_EQ(read_back.environment.at("device.name"), "NVIDIA H100 PCIe");
  ASSERT_EQ(read_back.events.size(), 9u);
  const std::vector<EventKind> kinds{EventKind::attention, EventKind::compute, EventKind::all_to_all,
                                     EventKind::ring,      EventKind::h2d,     EventKind::d2h,
                                     EventKind::compute,   EventKind::compute, EventKind::compute};
  for (size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(read_back.events[i].kind, kinds[i]) << i;
  EXPECT_EQ(read_back.events[2].bytes, 2000);
  EXPECT_EQ(read_back.events[3].bytes, 40);
  EXPECT_EQ(read_back.events[4].bytes, 4096);
  EXPECT_EQ(read_back.events[4].stream, StreamId::copy);
  EXPECT_EQ(read_back.events[0].start_ns, 1'000'000'000'000 + 1'000'000);
  EXPECT_EQ(read_back.events[0].end_ns - read_back.events[0].start_ns, 10'000);
  ASSERT_EQ(read_back.unknown_kernels.size(), 1u);
  EXPECT_EQ(read_back.unknown_kernels.at("a_kernel_nobody_knows"), 9000);
}

TEST_F(KinetoTraceTest, TheDevicesMarksGoBeforeTheHostsAndTheLoopsBeforeTheProfilers) {
  TraceBuilder trace;
  trace.step(0, 1000, 500).step(1, 1600, 400);
  trace.event("user_annotation", "ProfilerStep#5", 0, 9000);
  const EngineTrace both = read(trace.text());
  ASSERT_EQ(both.steps.size(), 2u);
  EXPECT_EQ(both.steps[1].step, 2);
  EXPECT_EQ(both.steps[1].start_ns, 1'000'000'000'000 + 1'600'000);
  EXPECT_EQ(both.environment.at("steps_marked_by"), "device");

  TraceBuilder host;
  host.event("user_annotation", "ProfilerStep#1", 100, 50).event("user_annotation", "ProfilerStep#2", 150, 60);
  const EngineTrace profiler = read(host.text(), "host.json");
  ASSERT_EQ(profiler.steps.size(), 2u);
  EXPECT_EQ(profiler.steps[0].step, 2);
  EXPECT_EQ(profiler.environment.at("steps_marked_by"), "host");
}

TEST_F(KinetoTraceTest, TheProfilerStepInWhichSglangDecodesIsNoStepOfTheLoop) {
  TraceBuilder trace;
  trace.event("user_annotation", "STAGE denoising_stage", 0, 220);
  trace.event("user_annotation", "ProfilerStep#1", 100, 50).event("user_annotation", "ProfilerStep#2", 150, 60);
  trace.event("user_annotation", "ProfilerStep#3", 210, 900).event("user_annotation", "STAGE decoding_stage", 225, 880);
  const EngineTrace read_back = read(trace.text());
  EXPECT_TRUE(read_back.counts_profiler_steps);
  ASSERT_EQ(read_back.steps.size(), 2u);
  EXPECT_EQ(read_back.steps.back().step, 3);
}

TEST_F(KinetoTraceTest, AStepsTimestepIsTakenFromItsName) {
  TraceBuilder trace;
  trace.event("user_annotation", "denoising_step_18_t857", 10, 5);
  trace.event("user_annotation", "denoising_step_19x", 20, 5);
  const EngineTrace read_back = read(trace.text());
  ASSERT_EQ(read_back.steps.size(), 1u);
  EXPECT_EQ(read_back.steps[0].step, 19);
  EXPECT_EQ(read_back.steps[0].timestep, 857);
}

TEST_F(KinetoTraceTest, AListOfEventsAloneIsReadToo) {
  const EngineTrace trace = read(
      R"([{"ph":"X","cat":"kernel","name":"gemm","ts":"1.5","dur":2,"args":{"device":0}},{"ph":"M","name":"process_name"}])");
  ASSERT_EQ(trace.events.size(), 1u);
  EXPECT_EQ(trace.events[0].start_ns, 1500);
}

TEST_F(KinetoTraceTest, ATraceThatIsCutShortIsRefusedWherever) {
  TraceBuilder trace;
  for (int i = 0; i < 50; ++i) trace.event("kernel", "gemm", i, 1);
  const std::string whole = trace.text();
  for (const size_t length : {whole.size() - 1, whole.size() / 2, size_t{20}}) {
    expect_refused(whole.substr(0, length), "is cut short: the JSON ends early");
  }
  write_gzip(directory_ / "whole.json.gz", whole);
  std::ifstream in(directory_ / "whole.json.gz", std::ios::binary);
  const std::string packed{std::istreambuf_iterator<char>(in), {}};
  const std::string cut = write_text(directory_ / "cut.json.gz", packed.substr(0, packed.size() / 2));
  expect_error(ExitCode::bad_input, "cut.json.gz: is cut short: the gzip data ends after",
               [&] { read_kineto_trace(cut, classes_); });
  EXPECT_EQ(read_kineto_trace(directory_ / "whole.json.gz", classes_).events.size(), 50u);
}

TEST_F(KinetoTraceTest, WhatIsNoTraceOfAProfilerIsSaid) {
  expect_refused("{\"a\": 1}", "is not a profiler's trace: traceEvents is missing");
  expect_refused("{\"traceEvents\": [1, }", "is not JSON: ");
  expect_refused(R"({"traceEvents":[{"ph":"X","cat":"kernel","name":"k","ts":1,"dur":-5}]})",
                 "event k has ts 1 and dur -5; both must be numbers of microseconds");
  expect_refused(R"({"traceEvents":[{"ph":"X","cat":"kernel","name":"k","dur":5}]})", "has ts nan");
  expect_refused(R"({"traceEvents":[{"ph":"X","cat":"kernel","name":"k","ts":1e300,"dur":5}]})",
                 "both must be numbers");
}

// 45 MB of JSON, of which the device's events are one in fifty, as in real traces.
TEST_F(KinetoTraceTest, ALargeTraceIsStreamedNotHeld) {
  const std::string file = directory_ / "large.json.gz";
  constexpr int events = 120'000;
  const gzFile out = gzopen(file.c_str(), "wb1");
  const auto put = [&](const std::string& text) { gzwrite(out, text.data(), static_cast<unsigned>(text.size())); };
  put("{\"baseTimeNanoseconds\": 0, \"traceEvents\": [\n");
  const std::string stack(250, 's');
  size_t bytes = 0;
  for (int i = 0; i < events; ++i) {
    const bool kernel = i % 50 == 0;
    const std::string event =
        fmt::format(R"({{"ph":"X","cat":"{}","name":"{}","ts":{}.5,"dur":1,"args":{{"Call stack":"{}"}}}},)",
                    kernel ? "kernel" : "cpu_op", kernel ? "gemm" : "aten::add", i, stack);
    bytes += event.size();
    put(event);
  }
  put("{}]}");
  gzclose(out);
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const EngineTrace trace = read_kineto_trace(file, classes_);
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(trace.events.size(), size_t{events / 50});
  EXPECT_GT(bytes, size_t{38} << 20);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 8 << 10) << "KiB more at most than before reading";
}

}  // namespace
}  // namespace wansweep
