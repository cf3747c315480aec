#include "orchestrator/store/gather.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "orchestrator/store/plan_of_attempt.h"
#include "orchestrator/store/query/query.h"
#include "orchestrator/sweep/submission.h"
#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using synthetic::write_attempt;

class GatherTest : public SweepTest {};

TEST_F(GatherTest, ComparisonGivesWhatTheAttemptsWereBuiltWith) {
  for (int repeat = 1; repeat <= 3; ++repeat) {
    write_attempt(sweep_, {.repeat = repeat, .slower_ms = repeat == 3 ? 900 : 0});
    write_attempt(sweep_, {.offload = "swap", .repeat = repeat, .spike_ms = 500, .exposed_ms = 30, .peak_mib = 60});
  }
  const GatherReport report = gather_all();
  EXPECT_TRUE(report.problems.empty()) << report.problems[0];
  EXPECT_EQ(report.added, 6);
  EXPECT_EQ(report.complete, 6);
  EXPECT_EQ(report.events, number("SELECT count(*) FROM event"));

  const Table table =
      ask("SELECT offload, runs, total_s, median_step_s, switch_step, spike_s, overhead_percent, beyond_noise, "
          "peak_device_gib, exposed_s, exchange_moving_s, same_latents, ranks, plan FROM offload_comparison ORDER BY "
          "offload");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(to_csv(table),
            "offload,runs,total_s,median_step_s,switch_step,spike_s,overhead_percent,beyond_noise,peak_device_gib,"
            "exposed_s,exchange_moving_s,same_latents,ranks,plan\r\n"
            "resident,3,2.7,0.1,19,0,0,,0.0977,0,0.27,yes,2,2x1\r\n"
            "swap,3,3.2,0.1,19,0.5,18.5,no,0.0586,0.03,0.27,yes,2,2x1\r\n");
}

TEST_F(GatherTest, OverheadIsNullWithoutAResidentRun) {
  write_attempt(sweep_, {.offload = "swap", .spike_ms = 500});
  gather_all();
  EXPECT_EQ(number("SELECT overhead_percent IS NULL AND same_latents IS NULL FROM offload_comparison"), 1);
}

TEST_F(GatherTest, OtherLatentsAreSeen) {
  write_attempt(sweep_, {});
  write_attempt(sweep_, {.offload = "swap", .digest = 'b'});
  gather_all();
  EXPECT_EQ(text("SELECT group_concat(same_latents) FROM offload_comparison"), "no,no");
}

TEST_F(GatherTest, ClocksOfAllRanksAreBroughtToRankZeros) {
  write_attempt(sweep_, {});
  gather_all();
  EXPECT_EQ(number("SELECT count(DISTINCT start_ns) FROM step WHERE step = 5"), 1);
  EXPECT_EQ(number("SELECT min(start_ns) FROM step"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM step_time WHERE duration_ns <> 100000000"), 0);
  EXPECT_EQ(number("SELECT max(clock_offset_ns) FROM rank"), synthetic::behind);
}

TEST_F(GatherTest, EventsAreNamedAndFoundByAttempt) {
  write_attempt(sweep_, {.exposed_ms = 30});
  write_attempt(sweep_, {.repeat = 2});
  gather_all();
  EXPECT_EQ(number("SELECT count(*) FROM events WHERE attempt_id = 1 AND kind = 'attention' AND rank = 1"), 27);
  EXPECT_EQ(number("SELECT count(*) FROM events WHERE kind = 'stall' AND cause = 'weights'"), 4);
  EXPECT_EQ(number("SELECT count(*) FROM events"), number("SELECT count(*) FROM event"));
  EXPECT_EQ(number("SELECT count(*) FROM events e JOIN rank r USING (attempt_id, rank) WHERE e.id NOT BETWEEN "
                   "r.first_event AND r.first_event + r.events - 1"),
            0);
}

TEST_F(GatherTest, GatheringTwiceChangesNothing) {
  write_attempt(sweep_, {});
  write_attempt(sweep_, {.offload = "swap", .steps = 8, .state = "failed"});
  gather_all();
  const std::string before = contents();
  const GatherReport again = gather_all();
  EXPECT_EQ(again.unchanged, 2);
  EXPECT_EQ(again.added + again.replaced + again.kept, 0);
  EXPECT_EQ(contents(), before);

  // Touched files are read again, and found to be the same.
  for (const auto& entry : fs::recursive_directory_iterator(sweep_)) {
    if (entry.is_regular_file()) fs::last_write_time(entry.path(), fs::file_time_type::clock::now());
  }
  EXPECT_EQ(gather_all().unchanged, 2);
  EXPECT_EQ(contents(), before);
}

TEST_F(GatherTest, AnAttemptThatWasKilledIsKeptApart) {
  write_attempt(sweep_, {.offload = "swap", .steps = 8, .state = ""});
  const GatherReport report = gather_all();
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.incomplete, 1);
  EXPECT_EQ(number("SELECT count(*) FROM step"), 16);
  EXPECT_EQ(number("SELECT count(*) FROM current_attempt"), 0);
  EXPECT_EQ(text("SELECT state FROM runs"), "running or lost");
  EXPECT_EQ(text("SELECT problem FROM runs"), "completed.json is missing");
}

TEST_F(GatherTest, ARunWhoseScriptWasOnlyGeneratedIsNeitherRunningNorLost) {
  const std::string directory = write_attempt(sweep_, {.steps = 0, .state = ""});
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".h5") fs::remove(entry);
  }
  nlohmann::json attempt = nlohmann::json::parse(std::ifstream(directory + "/attempt.json"));
  attempt["launcher"] = "slurm";
  attempt["submission"] = "ws-1";
  attempt["index"] = 0;
  std::ofstream(directory + "/attempt.json") << attempt;
  Submission submission;
  submission.token = "ws-1";
  submission.directory = sweep_ + "/submissions/ws-1";
  submission.by_hand = true;
  submission.members = {fs::path(directory).filename()};
  write_intent(submission, "#!/bin/sh\n");
  gather_all();
  EXPECT_EQ(text("SELECT state FROM runs"), "generated");
  EXPECT_NE(text("SELECT problem FROM runs").find("sbatch submissions/ws-1/job.sh"), std::string::npos);

  std::ofstream(submission.directory + "/started.17");  // its job has started since
  EXPECT_EQ(gather_all().replaced, 1);
  EXPECT_EQ(text("SELECT state FROM runs"), "running or lost");
}

TEST_F(GatherTest, AFailedRunSaysWhy) {
  const std::string directory = write_attempt(sweep_, {.steps = 3, .state = "failed"});
  write_failure(directory, {1, 10, "rank 1: the device has 4 MiB, 9 MiB are needed", timestamp_now()});
  EXPECT_TRUE(gather_all().problems.empty());
  EXPECT_EQ(number("SELECT exit_code FROM runs"), 10);
  EXPECT_EQ(text("SELECT problem FROM runs"), "rank 1: the device has 4 MiB, 9 MiB are needed");
  EXPECT_EQ(text("SELECT state FROM runs"), "failed");
}

TEST_F(GatherTest, TheNewestCompleteAttemptOfARunThatIsNotSupersededAnswers) {
  write_attempt(sweep_, {.number = 1, .slower_ms = 50});
  write_attempt(sweep_, {.number = 2});
  write_attempt(sweep_, {.number = 3, .steps = 4, .state = "failed"});
  write_attempt(sweep_, {.repeat = 2});
  gather_all();
  EXPECT_EQ(text("SELECT group_concat(n) FROM (SELECT n FROM current_attempt ORDER BY run_id)"), "2,1");
  {
    Store store = open_store(database_);
    store.db.exec("UPDATE run SET superseded_by = 2 WHERE id = 1");
  }
  EXPECT_EQ(number("SELECT count(*) FROM current_attempt"), 1);
  EXPECT_EQ(text("SELECT state FROM runs_all WHERE run LIKE '%-r1'"), "superseded");
}

TEST_F(GatherTest, DriftAndSwitchStepShowTheWrongConfiguration) {
  write_attempt(sweep_, {.switch_at = 10, .flow_shift = 3});
  write_attempt(sweep_, {.repeat = 2});
  gather_all();
  EXPECT_EQ(text("SELECT group_concat(setting || ' ' || used || ' ' || origin || ' ' || catalog || ' ' || "
                 "expected_switch || ' ' || catalog_switch) FROM configuration_drift"),
            "flow_shift 3 sglang-2025-12 12 10 19");
  EXPECT_EQ(text("SELECT group_concat(used || expected || catalog) FROM (SELECT * FROM switch_steps ORDER BY used)"),
            "101019,191919");
}

TEST_F(GatherTest, TheFirstLoadHasAColumnOfItsOwnAndIsInNoOther) {
  write_attempt(sweep_, {.first_load_ms = 400});
  write_attempt(sweep_, {.offload = "swap"});  // this run recorded no first load
  gather_all();
  EXPECT_EQ(to_csv(ask("SELECT offload, total_s, overhead_percent, exposed_s, first_load_s FROM offload_comparison")),
            "offload,total_s,overhead_percent,exposed_s,first_load_s\r\nresident,2.7,0,0,0.4\r\nswap,2.7,0,0,\r\n");
  EXPECT_EQ(
      text("SELECT group_concat((run LIKE 'resident%') || ' ' || coalesce(first_load_s, '-')) FROM (SELECT * FROM "
           "runs ORDER BY run)"),
      "1 0.4,0 -");
}

TEST_F(GatherTest, AFirstLoadThatOneRepeatDidNotRecordIsNoMedianOfTheOthers) {
  write_attempt(sweep_, {.first_load_ms = 400});
  write_attempt(sweep_, {.repeat = 2});
  gather_all();
  EXPECT_EQ(number("SELECT first_load_s IS NULL FROM offload_comparison"), 1);
}

TEST_F(GatherTest, LatentsThatAreNotFiniteAreNotTheSame) {
  write_attempt(sweep_, {.nonfinite = 3});
  write_attempt(sweep_, {.offload = "swap", .nonfinite = 3});
  gather_all();
  EXPECT_EQ(text("SELECT group_concat(same_latents) FROM offload_comparison"), "not finite,not finite");
  EXPECT_EQ(text("SELECT group_concat(nonfinite_values) FROM runs"), "6,6");  // the sum over two ranks

  fs::remove_all(sweep_ + "/attempts");
  remove_database();
  write_attempt(sweep_, {.nonfinite = -1});
  write_attempt(sweep_, {.offload = "swap"});
  gather_all();
  EXPECT_EQ(text("SELECT group_concat(same_latents) FROM offload_comparison"), "yes, if finite,yes, if finite");
}

TEST_F(GatherTest, ASecondSweepOfOneNameIsNotMixedWithTheFirst) {
  const std::string record = R"({"sweep":"demo","file":"demo.toml","matrix":"x","runs":[]})";
  write_attempt(sweep_, {});
  std::ofstream(sweep_ + "/sweep.json") << record;
  gather_all();
  const std::string other = directory_ + "/other";
  fs::copy(sweep_, other, fs::copy_options::recursive);
  Store store = open_store(database_);
  EXPECT_THROW(gather(other, store), Error);
  EXPECT_EQ(store.db.execAndGet("SELECT directory FROM sweep").getString(), sweep_);
  fs::remove_all(sweep_);  // the sweep was moved
  EXPECT_EQ(gather(other, store).unchanged, 1);
  EXPECT_EQ(store.db.execAndGet("SELECT directory FROM sweep").getString(), other);
}

TEST_F(GatherTest, ADatabaseThatWasCopiedWithItsSweepIsGatheredInto) {
  write_attempt(sweep_, {});
  std::ofstream(sweep_ + "/sweep.json") << R"({"sweep":"demo","runs":[]})";
  database_ = sweep_ + "/results.db";
  gather_all();
  const std::string other = directory_ + "/other";
  fs::copy(sweep_, other, fs::copy_options::recursive);
  Store store = open_store(other + "/results.db");
  EXPECT_EQ(gather(other, store).unchanged, 1);
}

TEST_F(GatherTest, ClocksThatDifferAreALineAndNoProblem) {
  const std::string directory = write_attempt(sweep_, {});
  Completion completion = *read_completion(directory);
  completion.finished_at = "2026-11-24T02:21:01.000Z";  // the launcher saw it end ten minutes earlier
  write_completion(directory, completion);
  const GatherReport report = gather_all();
  EXPECT_TRUE(report.problems.empty());
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes[0].find("differ by at least 600 s"), std::string::npos) << report.notes[0];
  EXPECT_EQ(number("SELECT complete FROM attempt"), 1);
}

TEST_F(GatherTest, APathThatIsNoUtf8IsKeptByteByByte) {
  const std::string odd = directory_ + "/odd-\xff-name";
  fs::rename(sweep_, odd);
  sweep_ = odd;
  write_attempt(sweep_, {});
  EXPECT_TRUE(gather_all().problems.empty());
  EXPECT_EQ(text("SELECT directory FROM sweep"), odd);
  EXPECT_EQ(to_text(ask("SELECT directory FROM sweep")).find('\xff'), std::string::npos);
  EXPECT_NE(to_text(ask("SELECT directory FROM sweep")).find("odd-\\xff-name"), std::string::npos);
  EXPECT_EQ(to_json(ask("SELECT directory FROM sweep")).find('\xff'), std::string::npos);
  EXPECT_EQ(gather_all().unchanged, 1);
}

TEST_F(GatherTest, ThePlanIsTheTracesWhereItHoldsOne) {
  nlohmann::json json = to_json(synthetic::spec_of({}));
  json["plan"] = {{"cfg", 2}, {"ulysses", 3}, {"ring", 5}, {"switch_step", 7}, {"catalog_switch_step", nullptr}};
  const AttemptPlan plan = plan_of_attempt(settings_from_json(json, "x"), json);
  EXPECT_EQ(std::tie(plan.cfg, plan.ulysses, plan.ring, plan.expected_switch, plan.catalog_switch),
            std::tuple(2, 3, 5, 7, std::optional<int64_t>()));
  json.erase("plan");
  const AttemptPlan old = plan_of_attempt(settings_from_json(json, "x"), json);
  EXPECT_EQ(std::tie(old.cfg, old.ulysses, old.ring, old.expected_switch, old.catalog_switch),
            std::tuple(1, 2, 1, 19, 19));
  EXPECT_EQ(old.work, plan.work);
}

TEST_F(GatherTest, RunsThatNeverStartedAreListed) {
  write_attempt(sweep_, {});
  std::ofstream(sweep_ + "/sweep.json") << R"({"sweep":"demo","file":"demo.toml","matrix":"x",)"
                                        << R"("runs":[{"run":"other-r1","config":"c","repeat":1}]})";
  EXPECT_TRUE(gather_all().problems.empty());
  EXPECT_EQ(text("SELECT state FROM runs WHERE run = 'other-r1'"), "not started");
}

TEST_F(GatherTest, TheNumberOfReadersChangesNothing) {
  for (int repeat = 1; repeat <= 5; ++repeat) write_attempt(sweep_, {.repeat = repeat});
  gather_all(1);
  const std::string events = to_csv(ask("SELECT attempt_id, rank, count(*), sum(start_ns) FROM events GROUP BY 1, 2"));
  fs::remove(database_);
  gather_all(8);
  EXPECT_EQ(number("SELECT count(*) FROM current_attempt"), 5);
  EXPECT_EQ(to_csv(ask("SELECT attempt_id, rank, count(*), sum(start_ns) FROM events GROUP BY 1, 2")), events);
}

TEST_F(GatherTest, SaysHowManyAttemptsItHasRead) {
  for (int repeat = 1; repeat <= 3; ++repeat) write_attempt(sweep_, {.repeat = repeat});
  std::vector<std::string> said;
  Store store = open_store(database_);
  gather(sweep_, store, {.readers = 2, .progress = [&](std::string_view what, size_t done, size_t all) {
                           said.push_back(fmt::format("{} {}/{}", what, done, all));
                         }});
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.front(), "looking at attempts 0/3");
  EXPECT_EQ(said.back(), "reading attempts 3/3");
}

}  // namespace
}  // namespace wansweep
