// Stores predictions in a sweep's directory, as predictions/DIGEST.json: one file for each machine file, DIGEST being
// that of the machine file. They stay beside the results measured later, and are gathered into a table of their own,
// `prediction`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/machines/machine_file.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/predict/prediction.h"

namespace wansweep {

struct RecordedPrediction {
  std::string config;  // settings_hash of the run
  Estimate seconds[quantities];
  int64_t device_bytes = 0;
  int64_t host_bytes = 0;
};

struct PredictionRecord {
  std::string machine;
  std::string machine_digest;
  std::string machine_source;  // name_of(MachineSource)
  std::string made_at;         // UTC, ISO 8601
  std::string wansweep;        // version and revision of the wansweep that made the predictions
  std::vector<RecordedPrediction> predictions;
};

PredictionRecord record_of(const MachineFile& machine, const Plan& plan, const std::vector<Prediction>& predictions);

// The record for the same machine's file that write_predictions would replace; nullopt: there is none. Throws bad_input
// for a file that is no record.
std::optional<PredictionRecord> earlier_predictions(const std::string& directory, const PredictionRecord& record);

// Creates the folder if it is missing, and replaces an earlier record for the same machine file. Returns the path of
// the file. Throws Error(output) when it cannot be written.
std::string write_predictions(const std::string& directory, const PredictionRecord& record);

// The records in a sweep's directory, ordered by file name; none where there is no such folder. For each file that
// cannot be read, a line is added to `problems`.
std::vector<PredictionRecord> read_predictions(const std::string& directory, std::vector<std::string>& problems);

// Throws bad_input, with a line that begins with `name`, for a text that is no such record.
PredictionRecord parse_prediction_record(const std::string& text, const std::string& name);

}  // namespace wansweep
