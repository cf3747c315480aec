#include "orchestrator/predict/prediction_record.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

PredictionRecord record(const std::string& digest) {
  PredictionRecord record{"here", digest, "probe", "2026-11-26T20:00:00Z", "0.1 (abc)", {}};
  RecordedPrediction prediction;
  prediction.config = "c0ffee";
  prediction.seconds[0] = {10, 9, 12};
  prediction.device_bytes = 1;
  prediction.host_bytes = int64_t{1} << 40;
  record.predictions = {prediction};
  return record;
}

TEST(PredictionRecord, IsReadAsItWasWrittenAndOneMachineFileHasOne) {
  const TemporaryDirectory directory;
  write_predictions(directory.path(), record(std::string(64, 'a')));
  write_predictions(directory.path(), record(std::string(64, 'a')));
  write_predictions(directory.path(), record(std::string(64, 'b')));
  std::vector<std::string> problems;
  const std::vector<PredictionRecord> read = read_predictions(directory.path(), problems);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(read[1].machine_digest, std::string(64, 'b'));
  ASSERT_EQ(read[0].predictions.size(), 1U);
  EXPECT_EQ(read[0].predictions[0].seconds[0].high, 12);
  EXPECT_EQ(read[0].predictions[0].host_bytes, int64_t{1} << 40);
}

TEST(PredictionRecord, OneThatIsDamagedIsALineAndTheOthersAreRead) {
  const TemporaryDirectory directory;
  write_predictions(directory.path(), record(std::string(64, 'a')));
  write_text(directory / "predictions/b.json", "{\"version\": 1}");
  std::vector<std::string> problems;
  EXPECT_EQ(read_predictions(directory.path(), problems).size(), 1U);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("b.json: is not a record of predictions"), std::string::npos) << problems[0];
  expect_error(ExitCode::bad_input, "x: version is 2; this wansweep reads 1",
               [] { parse_prediction_record("{\"version\": 2}", "x"); });
}

}  // namespace
}  // namespace wansweep
