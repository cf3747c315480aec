// Predictions in a sweep's directory are gathered and compared with what was measured.
#include "orchestrator/store/predictions.h"

#include <gtest/gtest.h>

#include "orchestrator/predict/prediction_record.h"
#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using synthetic::write_attempt;

class Predictions : public SweepTest {
 protected:
  // A prediction for the synthetic attempts, which take 27 steps of 100 ms and 500 ms more at the switch.
  static PredictionRecord record(double total, const std::string& digest = std::string(64, 'a')) {
    PredictionRecord record{"here", digest, "probe", "2026-11-26T20:00:00Z", "0.1 (abc)", {}};
    RecordedPrediction prediction;
    prediction.config = settings_hash(spec_of(shape()));
    prediction.seconds[0] = {total, 0.9 * total, 1.1 * total};
    prediction.seconds[1] = {0.1, 0.1, 0.1};
    prediction.seconds[2] = {0.4, 0.3, 0.45};
    prediction.device_bytes = 100 << 20;
    record.predictions = {prediction};
    return record;
  }
  static synthetic::Shape shape(int repeat = 1) {
    synthetic::Shape shape;
    shape.offload = "swap";
    shape.spike_ms = 500;
    shape.repeat = repeat;
    return shape;
  }
  std::string errors(const std::string& columns) const {
    const std::string csv = to_csv(ask("SELECT " + columns +
                                       " FROM prediction_error WHERE quantity IN ('device_memory', "
                                       "'median_step', 'spike', 'total') ORDER BY quantity"));
    return csv.substr(csv.find('\n') + 1);
  }
};

TEST_F(Predictions, AreSetAgainstWhatWasMeasuredOfTheSameConfiguration) {
  for (const int repeat : {1, 2}) write_attempt(sweep_, shape(repeat));
  write_predictions(sweep_, record(3.52));
  EXPECT_TRUE(gather_all().problems.empty());
  EXPECT_EQ(errors("quantity, runs, measured, predicted, unit, error_percent, error_of_total_percent, "
                   "half_width_percent, runs_inside"),
            "device_memory,2,0.0977,0.0977,GiB,0,,0,2\r\n"
            "median_step,2,0.1,0.1,s,0,0,0,2\r\n"
            "spike,2,0.5,0.4,s,-20,-3.13,18.75,0\r\n"
            "total,2,3.2,3.52,s,10,10,10,2\r\n");
}

TEST_F(Predictions, GatheredAgainAreTheSameAndANewerOneOfTheSameFileReplacesThem) {
  write_attempt(sweep_, shape());
  write_predictions(sweep_, record(3));
  gather_all();
  const std::string rows = to_csv(ask("SELECT * FROM prediction"));
  gather_all();
  EXPECT_EQ(to_csv(ask("SELECT * FROM prediction")), rows);
  write_predictions(sweep_, record(4));
  write_predictions(sweep_, record(5, std::string(64, 'b')));
  gather_all();
  EXPECT_EQ(to_csv(ask("SELECT value FROM prediction WHERE quantity = 'total' ORDER BY value")), "value\r\n4\r\n5\r\n");
}

// swap pays its spike at whichever step the experts switch; layerwise pays in every step.
TEST_F(Predictions, TheGapBetweenSwapAndLayerwiseIsMeasuredAndPredictedApart) {
  const auto measure = [&](const char* offload, int switch_at, int64_t spike_ms, int64_t slower_ms) {
    for (const int repeat : {1, 2}) {
      synthetic::Shape shape{.offload = offload,
                             .repeat = repeat,
                             .switch_at = switch_at,
                             .flow_shift = switch_at == 19 ? 12.0 : 3.0,
                             .spike_ms = spike_ms,
                             .slower_ms = slower_ms};
      write_attempt(sweep_, shape);
    }
  };
  for (const int switch_at : {10, 19}) {
    measure("swap", switch_at, 500, 0);
    measure("layerwise", switch_at, 0, 100);
  }
  PredictionRecord both = record(3);  // for swap with the switch at step 19
  RecordedPrediction layerwise = both.predictions[0];
  layerwise.config = settings_hash(synthetic::spec_of({.offload = "layerwise"}));
  layerwise.seconds[0] = {5, 4, 6};
  both.predictions.push_back(layerwise);
  write_predictions(sweep_, both);
  gather_all();
  const std::string csv =
      to_csv(ask("SELECT source, switch_step, runs, swap_s, layerwise_s, gap_s, low_s, high_s, "
                 "widening_s FROM switch_gap"));
  EXPECT_EQ(csv.substr(csv.find('\n') + 1),
            "measured,10,2,3.2,5.4,2.2,2.2,2.2,0\r\nmeasured,19,2,3.2,5.4,2.2,2.2,2.2,0\r\n"
            "predicted: here,19,0,3,5,2,0.7,3.3,0\r\n");
}

TEST_F(Predictions, OfRunsThatNeverRanHaveNoRow) {
  write_attempt(sweep_, {});
  write_predictions(sweep_, record(3));
  gather_all();
  EXPECT_EQ(number("SELECT count(*) FROM prediction"), 7);
  EXPECT_EQ(number("SELECT count(*) FROM prediction_error"), 0);
}

TEST_F(Predictions, AFileThatIsDamagedIsALineAndKeepsWhatWasGathered) {
  write_attempt(sweep_, shape());
  const std::string file = write_predictions(sweep_, record(3));
  gather_all();
  std::ofstream(file) << "{";
  const GatherReport report = gather_all();
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_NE(report.problems[0].find("is not JSON"), std::string::npos) << report.problems[0];
  EXPECT_EQ(number("SELECT count(*) FROM prediction"), 7);
}

}  // namespace
}  // namespace wansweep
