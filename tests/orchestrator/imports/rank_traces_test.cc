#include "orchestrator/imports/rank_traces.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/orchestrator/imports/trace_builder.h"
#include "tests/support/expect_error.h"

namespace wansweep {
namespace {

constexpr int64_t ms = 1'000'000;

// Steps of `lengths` milliseconds, one after the other, from `begin`.
EngineTrace steps_file(EngineFileKind kind, int rank, int64_t begin, const std::vector<int64_t>& lengths) {
  EngineTrace trace;
  trace.kind = kind;
  trace.rank = rank;
  trace.file = fmt::format("{}-{}", name_of(kind), rank);
  trace.sha256 = trace.file;
  trace.has_times = kind != EngineFileKind::perf_dump;
  int64_t at = begin;
  for (const int64_t length : lengths) {
    StepMark& mark = trace.steps.emplace_back();
    mark.step = static_cast<int>(trace.steps.size());
    mark.start_ns = at;
    at += length * ms;
    mark.end_ns = at;
  }
  return trace;
}

EventRow event(EventKind kind, int64_t start, int64_t end) {
  EventRow row;
  row.kind = kind;
  row.start_ns = start;
  row.end_ns = end;
  return row;
}

TEST(RankTraces, AStepLastsUntilTheNextBeginsAndEventsBelongWhereTheyBegan) {
  EngineTrace trace = steps_file(EngineFileKind::kineto_trace, 0, 1000 * ms, {10, 10});
  trace.steps[0].end_ns -= 3 * ms;  // the last kernel ended before the next step's first
  trace.tells_events = true;
  trace.events = {event(EventKind::h2d, 990 * ms, 995 * ms), event(EventKind::compute, 1000 * ms, 1005 * ms),
                  event(EventKind::compute, 1008 * ms, 1011 * ms), event(EventKind::attention, 1012 * ms, 1013 * ms),
                  event(EventKind::compute, 1020 * ms, 1030 * ms)};
  const AssembledRun run = assemble_run({trace}, elsewhere(1, 2));
  const TraceRows& rows = run.ranks.at(0).rows;
  ASSERT_EQ(rows.steps.size(), 2u);
  EXPECT_EQ(rows.steps[0].end_ns, 1010 * ms);
  ASSERT_EQ(rows.events.size(), 4u);
  EXPECT_EQ(rows.events[0].step, 0);
  EXPECT_EQ(rows.events[1].step, 1);
  EXPECT_EQ(rows.events[2].step, 1);
  EXPECT_EQ(rows.events[3].step, 2);
  ASSERT_EQ(run.notes.size(), 1u);
  EXPECT_NE(run.notes[0].find("1 events of the device after the last step were left out"), std::string::npos);
  EXPECT_TRUE(rows.memory.empty());
}

TEST(RankTraces, WhatNobodyTellsIsNotInvented) {
  const AssembledRun run = assemble_run({steps_file(EngineFileKind::perf_dump, 0, 0, {10, 20})}, elsewhere(1, 2));
  const TraceRows& rows = run.ranks.at(0).rows;
  EXPECT_EQ(rows.steps[0].expert, 0);  // flow_shift is not known
  EXPECT_TRUE(rows.events.empty());
  EXPECT_TRUE(rows.memory.empty());
  EXPECT_EQ(run.ranks.at(0).environment["engine"]["tells"], nlohmann::json::array({"steps"}));
}

TEST(RankTraces, TheSettingsTellTheExpertsWhereTheFilesDoNot) {
  RunSettings settings = elsewhere(1, 27);
  settings.flow_shift = 12;
  settings.boundary_ratio = 0.875;
  settings.sigma_schedule = SigmaSchedule::sglang;
  const AssembledRun run =
      assemble_run({steps_file(EngineFileKind::perf_dump, 0, 0, std::vector<int64_t>(27, 5))}, settings);
  const std::vector<StepRow>& steps = run.ranks.at(0).rows.steps;
  EXPECT_EQ(steps[17].expert, 1);
  EXPECT_EQ(steps[18].expert, 2);
  EXPECT_EQ(steps[18].timestep, 857);
}

TEST(RankTraces, ARunWithAnotherFlowShiftIsNoticedByItsTimesteps) {
  RunSettings settings = elsewhere(1, 27);
  settings.flow_shift = 12;
  EngineTrace trace = steps_file(EngineFileKind::kineto_trace, 0, 0, std::vector<int64_t>(27, 5));
  trace.steps[9].timestep = 857;  // of flow_shift 3
  expect_error(ExitCode::bad_input, "step 10 has timestep 857, but flow_shift 12 and 27 steps give 960",
               [&] { assemble_run({trace}, settings); });
}

TEST(RankTraces, ADumpGivesTheStepsAroundThoseThatWereProfiled) {
  EngineTrace trace = steps_file(EngineFileKind::kineto_trace, 0, 1000 * ms, {11, 11});
  trace.steps[0].step = 2;
  trace.steps[1].step = 3;
  const AssembledRun run =
      assemble_run({trace, steps_file(EngineFileKind::perf_dump, 0, 0, {30, 10, 10, 20})}, elsewhere(1, 4));
  const std::vector<StepRow>& steps = run.ranks.at(0).rows.steps;
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[0].start_ns, 970 * ms);
  EXPECT_EQ(steps[0].end_ns, 1000 * ms);
  EXPECT_EQ(steps[2].end_ns, 1022 * ms);
  EXPECT_EQ(steps[3].end_ns, 1042 * ms);
}

TEST(RankTraces, TheProfilersStepAfterTheLoopIsNotOneOfTheRun) {
  EngineTrace trace = steps_file(EngineFileKind::kineto_trace, 0, 0, {10, 11, 900});
  trace.counts_profiler_steps = true;
  EXPECT_EQ(assemble_run({trace}, elsewhere(1, 2)).ranks.at(0).rows.steps.size(), 2u);
  RunSettings unknown_steps = elsewhere(1, 2);
  unknown_steps.steps.reset();
  const AssembledRun open = assemble_run({trace}, unknown_steps);
  EXPECT_EQ(open.ranks.at(0).rows.steps.size(), 3u);
  ASSERT_EQ(open.notes.size(), 1u);
  EXPECT_NE(open.notes[0].find("the last of them, 2, may be what came after the loop: --set steps=N"),
            std::string::npos);
  expect_error(ExitCode::bad_input, "has a step 3, but the run has 1 steps",
               [&] { assemble_run({trace}, elsewhere(1, 1)); });
}

TEST(RankTraces, FilesOfAnotherRunAreRefused) {
  const EngineTrace first = steps_file(EngineFileKind::kineto_trace, 0, 1000 * ms, {10, 10});
  const EngineTrace slow = steps_file(EngineFileKind::kineto_trace, 1, 1000 * ms, {20, 20});
  expect_error(ExitCode::bad_input,
               "profiler trace-1: the steps take 0.040 s, but those of profiler trace-0 take 0.020 s, and all ranks",
               [&] {
                 assemble_run({first, slow}, elsewhere(2, 2));
               });
  expect_error(ExitCode::bad_input, "has a step 2, but the run has 1 steps: the file belongs to another run",
               [&] { assemble_run({first}, elsewhere(1, 1)); });
  EngineTrace of_four = first;
  of_four.ranks = 4;
  expect_error(ExitCode::bad_input, "belongs to a run of 4 ranks, but this run has 2 ranks",
               [&] { assemble_run({of_four}, elsewhere(2, 2)); });
  expect_error(ExitCode::bad_input, "perf dump-0: the steps of profiler trace-0 take 0.200 s here, but 0.020 s there",
               [&] {
                 assemble_run({first, steps_file(EngineFileKind::perf_dump, 0, 0, {100, 100})}, elsewhere(1, 2));
               });
  EngineTrace record = steps_file(EngineFileKind::step_record, 0, 500'000 * ms, {10, 10});
  EngineTrace unmarked = first;
  unmarked.steps.clear();
  unmarked.events = {event(EventKind::compute, 1000 * ms, 1001 * ms)};
  expect_error(ExitCode::bad_input, "the times do not agree with step record-0", [&] {
    assemble_run({record, unmarked}, elsewhere(1, 2));
  });
}

TEST(RankTraces, NothingIsCountedTwice) {
  const EngineTrace first = steps_file(EngineFileKind::kineto_trace, 0, 0, {10});
  EngineTrace copy = first;
  copy.file = "copy";
  expect_error(ExitCode::bad_input, "copy: has the same content as profiler trace-0; give only one of them", [&] {
    assemble_run({first, copy}, elsewhere(1, 1));
  });
  copy.sha256 = "other";
  expect_error(ExitCode::bad_input, "copy: is a profiler trace of rank 0, and so is profiler trace-0", [&] {
    assemble_run({first, copy}, elsewhere(1, 1));
  });
}

TEST(RankTraces, EachRankHasAFileAndEachFileARank) {
  expect_error(ExitCode::bad_input, "belongs to rank 1, but there is no file of rank 0",
               [&] { assemble_run({steps_file(EngineFileKind::kineto_trace, 1, 0, {10})}, elsewhere(2, 1)); });
  EngineTrace unknown = steps_file(EngineFileKind::kineto_trace, 0, 0, {10});
  unknown.rank.reset();
  expect_error(ExitCode::bad_input, "does not tell its rank; rename it to ...rank-N...",
               [&] { assemble_run({unknown}, elsewhere(2, 1)); });
  EXPECT_EQ(assemble_run({unknown}, elsewhere(1, 1)).ranks.size(), 1u);
  EngineTrace unmarked = unknown;
  unmarked.steps.clear();
  expect_error(ExitCode::bad_input, "no file of rank 0 marks the steps",
               [&] { assemble_run({unmarked}, elsewhere(1, 1)); });
}

TEST(RankTraces, ClocksThatDoNotMatchAreMovedToTheFirstRanksAndSaid) {
  EngineTrace first = steps_file(EngineFileKind::kineto_trace, 0, 1000 * ms, {500, 500});
  EngineTrace late = steps_file(EngineFileKind::kineto_trace, 1, 36'000 * ms, {505, 500});
  late.events = {event(EventKind::all_to_all, 36'100 * ms, 36'200 * ms)};
  const AssembledRun run = assemble_run({first, late}, elsewhere(2, 2));
  EXPECT_EQ(run.ranks.at(1).rows.steps[0].start_ns, 1000 * ms);
  EXPECT_EQ(run.ranks.at(1).rows.events[0].start_ns, 1100 * ms);
  EXPECT_EQ(run.ranks.at(1).rows.events[0].step, 1);
  ASSERT_EQ(run.notes.size(), 1u);
  EXPECT_NE(run.notes[0].find("its clock differs from that of profiler trace-0 by 35.000 s"), std::string::npos)
      << run.notes[0];
  late = steps_file(EngineFileKind::kineto_trace, 1, 1020 * ms, {505, 500});  // as ranks of one host begin
  EXPECT_EQ(assemble_run({first, late}, elsewhere(2, 2)).ranks.at(1).rows.steps[0].start_ns, 1020 * ms);
}

TEST(RankTraces, AConcludedFlowShiftThatTheTimestepsContradictIsSaidToBeConcluded) {
  EngineTrace trace = steps_file(EngineFileKind::kineto_trace, 0, 0, {10});
  trace.steps[0].step = 10;
  trace.steps[0].timestep = 961;  // of flow_shift 12
  RunSettings settings = elsewhere(1, 27);
  settings.flow_shift = 3;
  settings.origins["flow_shift"].origin = "sglang-0.5.9";
  expect_error(
      ExitCode::bad_input,
      "or the file belongs to another run; this flow_shift is that of sglang-0.5.9: give --set flow_shift if a "
      "flag set another",
      [&] { assemble_run({trace}, settings); });
}

TEST(RankTraces, KernelsThatNoPatternKnowsAreNamedWithTheirShare) {
  EngineTrace trace = steps_file(EngineFileKind::kineto_trace, 0, 0, {10});
  trace.events = {event(EventKind::compute, 0, 3 * ms), event(EventKind::compute, 3 * ms, 4 * ms)};
  trace.unknown_kernels = {{"mystery", 1 * ms}};
  const AssembledRun run = assemble_run({trace}, elsewhere(1, 1));
  ASSERT_EQ(run.notes.size(), 1u);
  EXPECT_NE(run.notes[0].find("1 kernels, 25.0 % of the device's time, match no pattern and count as compute: mystery"),
            std::string::npos)
      << run.notes[0];
}

}  // namespace
}  // namespace wansweep
