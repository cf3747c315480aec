// Each named query, on attempts whose answer is known by construction.
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using synthetic::write_attempt;

class NamedQueries : public SweepTest {
 protected:
  // The rows of a named query as CSV, less its header.
  std::string rows_of(const std::string& columns, const std::string& query, const std::string& where = "") const {
    const std::string csv = to_csv(ask("SELECT " + columns + " FROM " + query + ' ' + where));
    return csv.substr(csv.find('\n') + 1);
  }
  static constexpr int repeats = 2;
  void write_mode(synthetic::Shape shape) const {
    for (shape.repeat = 1; shape.repeat <= repeats; ++shape.repeat) write_attempt(sweep_, shape);
  }
};

TEST_F(NamedQueries, EachAnswersByItsNameAndSaysItsQuestion) {
  write_mode({});
  gather_all();
  for (const NamedQuery& query : named_queries) {
    EXPECT_EQ(to_csv(ask(query.sql)), to_csv(ask("SELECT * FROM " + query.name))) << query.name;
    EXPECT_TRUE(query.sql.starts_with("-- ")) << query.name;
    EXPECT_TRUE(question_of(query).ends_with("?")) << query.name;
    EXPECT_EQ(ask(query.sql).columns.at(0), "sweep") << query.name;
  }
}

TEST_F(NamedQueries, DatasetteOffersEachWithItsQuestion) {
  std::ostringstream text;
  text << std::ifstream(WANSWEEP_SOURCE_DIR "/analysis/datasette.yaml").rdbuf();
  for (const NamedQuery& query : named_queries) {
    const std::string entry = "      " + query.name + ":\n        title: \"" + question_of(query) +
                              "\"\n        sql: select * from " + query.name + '\n';
    EXPECT_NE(text.str().find(entry), std::string::npos) << entry;
  }
}

TEST_F(NamedQueries, ConfigurationNamesWhatVariesInTheSweep) {
  write_mode({});
  write_mode({.switch_at = 10, .flow_shift = 3});
  write_mode({.ranks = 4});
  gather_all();
  EXPECT_EQ(rows_of("configuration", "offload_comparison"),
            "\"ranks 2, flow_shift 12, plan 2x1\"\r\n\"ranks 2, flow_shift 3, plan 2x1\"\r\n"
            "\"ranks 4, flow_shift 12, plan 4x1\"\r\n");
}

TEST_F(NamedQueries, ComparisonSaysWhatIsBeyondNoise) {
  write_mode({});
  write_mode({.offload = "layerwise", .slower_ms = 1});
  write_attempt(sweep_, {.offload = "swap", .spike_ms = 500});
  gather_all();
  EXPECT_EQ(rows_of("offload, beyond_noise", "offload_comparison"), "resident,\r\nlayerwise,yes\r\nswap,\r\n");
}

TEST_F(NamedQueries, BudgetsAndOrdersOfTheGuidanceAreWaysOfTheirOwn) {
  write_mode({.offload = "planned", .device_budget = {13.1}});
  write_mode({.offload = "planned", .slower_ms = 1, .device_memory = 30});
  write_mode({.offload = "planned", .slower_ms = 2, .device_memory = 5});
  write_mode({.offload = "layerwise", .slower_ms = 3, .guidance_order = GuidanceOrder::block});
  gather_all();
  EXPECT_EQ(rows_of("offload, runs", "offload_comparison"),
            "planned 13.1 GiB,2\r\nplanned auto of 30 GiB,2\r\nplanned auto of 5 GiB,2\r\nlayerwise block order,2\r\n");
}

TEST_F(NamedQueries, OverheadByStepIsZeroExceptAtTheSwitch) {
  write_mode({});
  write_mode({.offload = "swap", .spike_ms = 500, .exposed_ms = 30});
  gather_all();
  EXPECT_EQ(number("SELECT count(*) FROM overhead_by_step"), 27);
  EXPECT_EQ(
      rows_of("offload, step, expert, step_ms, resident_ms, overhead_ms", "overhead_by_step", "WHERE overhead_ms <> 0"),
      "swap,19,2,600,100,500\r\n");
  EXPECT_EQ(rows_of("step, exposed_ms", "overhead_by_step", "WHERE exposed_ms <> 0"), "2,30\r\n");
}

TEST_F(NamedQueries, SwitchSpikeIsAboveTheMedianStep) {
  write_mode({.offload = "swap", .switch_at = 2, .spike_ms = 500, .exposed_ms = 30});
  gather_all();
  EXPECT_EQ(rows_of("runs, switch_step, median_step_s, switch_step_s, spike_s, spike_percent_of_total, copied_gib, "
                    "exposed_s, waited_for_weights_s",
                    "switch_spike"),
            "2,2,0.1,0.6,0.5,15.6,0.0112,0.03,0.005\r\n");
}

TEST_F(NamedQueries, TheSpikeIsTheSameMedianInBothQueriesThatHaveIt) {
  for (const auto& [repeat, spike] : {std::pair(1, 100), std::pair(2, 200), std::pair(3, 900)}) {
    write_attempt(sweep_, {.offload = "swap", .repeat = repeat, .spike_ms = spike});
  }
  gather_all();
  EXPECT_EQ(rows_of("spike_s", "switch_spike"), "0.2\r\n");
  EXPECT_EQ(rows_of("spike_s", "offload_comparison"), "0.2\r\n");
}

TEST_F(NamedQueries, OverlapTellsHiddenFromExposedAndWhatItCollidedWith) {
  write_mode({.offload = "swap", .exposed_ms = 20, .back_ms = 15});
  gather_all();
  EXPECT_EQ(rows_of("direction, transfers, copied_gib, transfer_s, hidden_s, exposed_s, hidden_percent, "
                    "with_all_to_all_s, with_ring_s, with_other_direction_s",
                    "overlap"),
            "d2h,1,0.0056,0.015,0,0.015,0,0,0,0.005\r\nh2d,2,0.0112,0.05,0.03,0.02,60,0.01,0,0.005\r\n");
}

TEST_F(NamedQueries, StallsAreTimedByCauseAndStep) {
  write_mode({.offload = "swap", .switch_at = 2, .skew_ms = 20});
  gather_all();
  // Only rank 0 of the two waits for its peer: 27 steps of 20 ms. The mean over the ranks is half of that.
  EXPECT_EQ(rows_of("cause, waited_s, percent_of_total, at_switch_s, worst_step, worst_step_s", "stalls_by_cause"),
            "peers,0.27,10,0.01,1,0.01\r\nweights,0.005,0.2,0.005,2,0.005\r\n");
}

// One copy takes 30 ms, alone; another takes 60 ms, of which 40 ms are beside the exchange: 6 MB = 0.2 x 20 ms + 0.05 x
// 40 ms.
TEST_F(NamedQueries, ContentionGivesRatesAloneAndBesideFromCopiesThatOverlapInPart) {
  write_mode({.offload = "swap", .exposed_ms = 60, .slower_ms = 100, .exchange_ms = 40, .copying_steps = 2});
  gather_all();
  EXPECT_EQ(rows_of("kind, alone_gb_per_s, alone_plus_minus, beside_gb_per_s, beside_plus_minus, slower_percent, "
                    "beyond_noise, beside_peers_gb_per_s, alone_s, beside_s",
                    "contention"),
            "all_to_all,0.1,0,0.1,0,0,no,,1,0.08\r\nh2d,0.2,0,0.05,0,75,yes,,0.1,0.08\r\n");
}

// One step gives no interval, and without one nobody knows whether the two rates are told apart.
TEST_F(NamedQueries, ContentionTellsNoRatesAloneAndBesideWhereAllCopiesAreOfOneStep) {
  write_mode({.offload = "swap", .exposed_ms = 60, .slower_ms = 100, .exchange_ms = 40});
  gather_all();
  EXPECT_EQ(rows_of("alone_gb_per_s, alone_plus_minus, beside_gb_per_s, beside_plus_minus, beyond_noise", "contention",
                    "WHERE kind = 'h2d'"),
            ",,,,\r\n");
}

// Only rank 1 copies: 30 ms alone, then 60 ms, of which the other ranks of its host are in the exchange for 40 ms and
// rank 1 never is.
TEST_F(NamedQueries, ContentionSeesExchangesOfOtherRanksOfTheHostOnly) {
  const synthetic::Shape shape{
      .offload = "swap", .exposed_ms = 60, .slower_ms = 100, .exchange_ms = 40, .copying_steps = 2, .copying_rank = 1};
  write_mode(shape);
  gather_all();
  const std::string columns = "alone_gb_per_s, beside_gb_per_s, beside_peers_gb_per_s, beside_peers_plus_minus";
  EXPECT_EQ(rows_of(columns, "contention", "WHERE kind = 'h2d'"), "0.2,,0.05,0\r\n");

  fs::remove_all(sweep_ + "/attempts");
  remove_database();
  synthetic::Shape apart = shape;
  apart.host_per_rank = true;
  write_mode(apart);
  gather_all();
  EXPECT_EQ(rows_of(columns, "contention", "WHERE kind = 'h2d'"), "0.1333,,,\r\n");
}

// The ranks' clocks differ by a second, and rank 1 begins each exchange 20 ms late: the other ranks wait that long for
// data that moves for 10 ms.
TEST_F(NamedQueries, WaitingForTheLastRankIsNoPartOfAnExchangesRate) {
  write_mode({.exchange_ms = 30, .late_ms = 20, .ranks = 3});
  gather_all();
  EXPECT_EQ(rows_of("kind, alone_gb_per_s, alone_s", "contention", "WHERE kind = 'all_to_all'"),
            "all_to_all,0.3,0.27\r\n");
  EXPECT_EQ(
      rows_of("kind, events, p50_ms, p99_ms, longest_ms", "event_times", "WHERE kind LIKE 'all_to_all%'"),
      "all_to_all,162,30,30,30\r\n\"all_to_all, moving\",162,10,10,10\r\n\"all_to_all, waiting\",162,20,20,20\r\n");
  EXPECT_EQ(rows_of("rank, exposed_exchange_s, waits_for_peers_s", "timeline", "WHERE run LIKE '%-r1'"),
            ",0.27,0.36\r\n0,0.27,0.54\r\n1,0.27,0\r\n2,0.27,0.54\r\n");
}

TEST_F(NamedQueries, CopiesAtOnceCountTheRanksOfANode) {
  write_mode({.offload = "swap", .exposed_ms = 30, .copying_steps = 2, .ranks = 4});
  gather_all();
  EXPECT_EQ(rows_of("direction, ranks_at_once, percent_of_time, each_alone_gb_per_s, together_alone_gb_per_s, "
                    "together_alone_plus_minus",
                    "copies_at_once"),
            "h2d,4,100,0.2,0.8,0\r\n");
}

TEST_F(NamedQueries, TimelineAddsUpExactly) {
  write_mode({.offload = "swap", .spike_ms = 500, .exposed_ms = 30, .back_ms = 15, .skew_ms = 7, .ranks = 3});
  gather_all();
  EXPECT_EQ(number("SELECT count(*) FROM (SELECT r.id FROM rank r JOIN attempt_time t USING (attempt_id) "
                   "JOIN step_part p ON p.rank_id = r.id GROUP BY r.id HAVING sum(compute_ns + both_exposed_ns + "
                   "exposed_exchange_ns + peers_transfer_ns + peers_ns + exposed_transfer_ns + host_ns + idle_ns) = "
                   "t.total_ns)"),
            6);
  // In step 2 the exchange and a copy run from 70 to 80 ms, the copy goes on alone to 100 ms, and a copy back runs from
  // 85 to 100 ms.
  EXPECT_EQ(
      rows_of("rank, total_s, compute_s, exposed_exchange_s, exposed_transfer_s, both_exposed_s, waits_for_peers_s, "
              "waits_for_host_s, idle_s, copies_meanwhile_s",
              "timeline", "WHERE run LIKE '%-r1' AND rank = 0"),
      "0,3.2,1.89,0.26,0.02,0.01,0,0,1.02,0\r\n");
}

TEST_F(NamedQueries, LargestEventsSayWhereAndWhen) {
  write_attempt(sweep_, {.offload = "swap", .exposed_ms = 60, .slower_ms = 100});
  gather_all();
  EXPECT_EQ(rows_of("rank, step, forward, block, at_s, duration_ms, moving_ms, times_median", "largest_events",
                    "WHERE kind = 'h2d' LIMIT 3"),
            "0,2,0,3,0.27,60,,2\r\n1,2,0,3,0.27,60,,2\r\n0,2,0,3,0.24,30,,1\r\n");
}

TEST_F(NamedQueries, PowerIsShownForEachStepWithTheCardsLimit) {
  write_attempt(sweep_, {.tells_power = true});
  gather_all();
  EXPECT_EQ(
      rows_of("rank, step, step_ms, energy_j, power_w, power_end_w, limit_w, clock_mhz, max_clock_mhz, temperature_c",
              "power_by_step", "WHERE step <= 2"),
      "0,1,100,30,300,310,700,1980,1980,41\r\n0,2,100,70,700,690,700,1200,1980,42\r\n"
      "1,1,100,30,300,310,700,1980,1980,41\r\n1,2,100,70,700,690,700,1200,1980,42\r\n");
}

TEST_F(NamedQueries, PowerThatWasNotMeasuredIsEmptyAndNotZero) {
  write_attempt(sweep_, {.ranks = 1});
  gather_all();
  EXPECT_EQ(rows_of("step, step_ms, energy_j, power_w, power_end_w, limit_w, clock_mhz", "power_by_step", "LIMIT 1"),
            "1,100,,,,,\r\n");
  EXPECT_EQ(number("SELECT count(*) FROM power_by_step"), 27);
}

TEST_F(NamedQueries, RatesAchievedKnowTheOperationsOfTheModel) {
  write_mode({.offload = "swap", .exposed_ms = 30});
  gather_all();
  EXPECT_EQ(rows_of("kind, time_s, gb_per_s", "rates_achieved"),
            "compute,1.35,\r\nattention,0.54,\r\nall_to_all,0.27,0.1\r\nh2d,0.06,0.2\r\n");
  // 480p, 27 guided steps of 40 layers on two ranks: attention of one forward of A14B takes 2.94e15 operations.
  EXPECT_EQ(number("SELECT round(tflop_per_s * 0.54 * 2 / 53.325 / 40 * 1e12 / (4 * 32760.0 * 32760 * 5120), 2) = 1.02 "
                   "FROM rates_achieved WHERE kind = 'attention'"),
            1);
}

TEST_F(NamedQueries, MemoryPeaksSayWhereAndWhen) {
  write_mode({.peak_mib = 64});
  gather_all();
  EXPECT_EQ(rows_of("peak_device_gib, at_rank, at_step, least_rank_gib, limit_gib, peak_host_gib, "
                    "peak_host_all_ranks_gib",
                    "memory_peaks"),
            "0.0625,1,5,0.0615,,0.0029,0.0059\r\n");
}

TEST_F(NamedQueries, WithoutAResidentRunNothingIsBeyondNoise) {
  write_mode({.offload = "layerwise", .slower_ms = 1});
  write_mode({.offload = "swap", .spike_ms = 500});
  gather_all();
  EXPECT_EQ(rows_of("offload, overhead_percent, beyond_noise", "offload_comparison"), "layerwise,,\r\nswap,,\r\n");
}

TEST_F(NamedQueries, RankSkewNamesTheSlowRank) {
  write_attempt(sweep_, {.skew_ms = 14, .ranks = 3});
  gather_all();
  EXPECT_EQ(rows_of("slowest_rank, slowest_host, slowest_compute_s, median_compute_s, skew_percent, "
                    "waited_for_peers_s",
                    "rank_skew"),
            "1,node1,2.268,1.89,20,0.378\r\n");
}

TEST_F(NamedQueries, RepeatSpreadIsInPercentOfTheMedian) {
  for (int repeat = 1; repeat <= 3; ++repeat) write_attempt(sweep_, {.repeat = repeat, .slower_ms = 10 * (repeat - 1)});
  gather_all();
  EXPECT_EQ(rows_of("runs, fastest_s, median_s, slowest_s, spread_percent, slowest_run LIKE '%-r3', same_latents",
                    "repeat_spread"),
            "3,2.7,2.97,3.24,18.2,1,yes\r\n");
}

TEST_F(NamedQueries, ASingleRunHasNoSpread) {
  write_attempt(sweep_, {});
  gather_all();
  EXPECT_EQ(rows_of("runs, spread_percent", "repeat_spread"), "1,\r\n");
}

TEST_F(NamedQueries, RepeatsWithoutLatentsAreNeitherTheSameNorDifferent) {
  write_mode({});
  gather_all();
  open_store(database_).db.exec("UPDATE attempt SET latents_digest = NULL");
  EXPECT_EQ(rows_of("runs, same_latents", "repeat_spread"), "2,\r\n");
}

TEST_F(NamedQueries, ScalingPairsRunsThatDifferInRanksOnly) {
  write_mode({.slower_ms = 50, .ranks = 4});
  write_mode({.ranks = 6});
  write_mode({.offload = "swap", .ranks = 6});
  gather_all();
  EXPECT_EQ(rows_of("offload, plan_4, plan_6, runs, total_4_s, total_6_s, speedup, efficiency_percent, exchange_4_ms",
                    "scaling_4_to_6"),
            "resident,4x1,6x1,2,4.05,2.7,1.5,100,270\r\n");
}

TEST_F(NamedQueries, ScalingComparesWithTheFewestRanks) {
  write_mode({.slower_ms = 100, .ranks = 2});
  write_mode({.slower_ms = 25, .ranks = 4});
  write_mode({.ranks = 6});
  write_mode({.offload = "swap", .ranks = 6});
  gather_all();
  EXPECT_EQ(rows_of("offload, ranks, plan, runs, median_step_ms, speedup, efficiency_percent", "scaling"),
            "resident,2,2x1,2,200,1,100\r\nresident,4,4x1,2,125,1.6,80\r\nresident,6,6x1,2,100,2,66.7\r\n"
            "swap,6,6x1,2,100,1,100\r\n");
}

TEST_F(NamedQueries, EnvironmentDifferencesNameTheOddRun) {
  write_attempt(sweep_, {.repeat = 1});
  write_attempt(sweep_, {.repeat = 2});
  write_attempt(sweep_, {.repeat = 3, .host = "node2"});
  gather_all();
  EXPECT_EQ(rows_of("name, value, runs, ranks, for_example LIKE '%-r3'", "environment_differences"),
            "host,node1,2,4,0\r\nhost,node2,1,2,1\r\n");
}

TEST_F(NamedQueries, PicturesShowStepsMemoryAndCopies) {
  write_mode({.offload = "swap", .spike_ms = 500, .exposed_ms = 30});
  gather_all();
  EXPECT_EQ(number("SELECT count(*) FROM step_times WHERE switch_step = 19 AND step_ms = iif(step = 19, 600, 100)"),
            27);
  EXPECT_EQ(rows_of("step, compute_ms, exposed_exchange_ms, both_exposed_ms, exposed_transfer_ms, waits_for_peers_ms, "
                    "waits_for_host_ms, idle_ms",
                    "time_by_step", "WHERE step IN (1, 2)"),
            "1,70,10,0,0,0,0,20\r\n2,70,0,10,20,0,0,0\r\n");
  EXPECT_EQ(rows_of("time_s, device_mib, peak_mib", "memory_over_time", "LIMIT 5"),
            "0.1,50,50\r\n0.2,50,50\r\n0.3,50,50\r\n0.4,50,50\r\n0.5,50,100\r\n");
  EXPECT_EQ(rows_of("offload, hidden_s, exposed_s", "exposed_transfer"), "swap,0.03,0.03\r\n");
}

TEST_F(NamedQueries, CorrectionShowsARunBesideTheOneThatReplacesIt) {
  write_attempt(sweep_, {.switch_at = 10, .flow_shift = 3, .spike_ms = 500});
  write_attempt(sweep_, {});
  gather_all();
  EXPECT_EQ(number("SELECT count(*) FROM correction"), 0);
  {
    Store store = open_store(database_);
    store.db.exec(
        "UPDATE run SET superseded_by = (SELECT run_id FROM setting WHERE name = 'flow_shift' AND value = '12') "
        "WHERE id = (SELECT run_id FROM setting WHERE name = 'flow_shift' AND value = '3')");
  }
  EXPECT_EQ(rows_of("configuration, moment, step_ms, switch_step, total_s", "correction", "WHERE step = 10"),
            "\"flow_shift 3, resident\",before,600,10,3.2\r\n\"flow_shift 3, resident\",after,100,19,2.7\r\n");
}

// Tables that grow with the events or steps are read by key, never from end to end. The program that SQLite makes of a
// query shows a full scan: it rewinds a cursor of such a table.
TEST_F(NamedQueries, PlansReadLargeTablesByKey) {
  write_mode({});
  gather_all();
  Store store = open_store_readonly(database_);
  std::map<int, std::string> large;  // by root page
  SQLite::Statement tables(
      store.db,
      "SELECT rootpage, name FROM sqlite_schema WHERE type = 'table' AND name IN "
      "('event', 'step', 'step_summary', 'memory', 'traffic', 'step_part', 'traffic_rate', 'event_spread', "
      "'largest_event')");
  while (tables.executeStep()) large[tables.getColumn(0).getInt()] = tables.getColumn(1).getString();
  ASSERT_EQ(large.size(), 9u);
  const auto scanned = [&](const std::string& sql) {
    std::string names;
    std::map<int, std::string> cursors;
    SQLite::Statement program(store.db, "EXPLAIN " + sql);
    while (program.executeStep()) {
      const std::string operation = program.getColumn(1).getString();
      const int cursor = program.getColumn(2).getInt();
      if (operation.starts_with("Open")) cursors.erase(cursor);
      if (operation == "OpenRead" && large.contains(program.getColumn(3).getInt())) {
        cursors[cursor] = large[program.getColumn(3).getInt()];
      }
      if (operation == "Rewind" && cursors.contains(cursor)) names += cursors[cursor] + ' ';
    }
    return names;
  };
  EXPECT_EQ(scanned("SELECT * FROM event WHERE bytes > 5"), "event ");
  EXPECT_EQ(scanned("SELECT * FROM events WHERE attempt_id = 1 AND rank = 0"), "");
  for (const NamedQuery& query : named_queries) EXPECT_EQ(scanned(query.sql), "") << query.name;
}

}  // namespace
}  // namespace wansweep
