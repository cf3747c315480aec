// Predictions as a sweep's directory keeps them: predictions/DIGEST.json, one file a machine file. They stay beside
// what is measured later, and are gathered into table prediction; nothing takes them for a measurement.
#pragma once

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
  std::string made_at;         // UTC
  std::string wansweep;        // version and revision that predicted
  std::vector<RecordedPrediction> predictions;
};

PredictionRecord record_of(const MachineFile& machine, const Plan& plan, const std::vector<Prediction>& predictions);

// Makes the folder where it is missing. An earlier record of the same machine file is replaced. Returns the file.
// Throws Error(output).
std::string write_predictions(const std::string& directory, const PredictionRecord& record);

// Those in a sweep's directory, by file name; none where there is no folder. Each that cannot be read is a line in
// `problems`.
std::vector<PredictionRecord> read_predictions(const std::string& directory, std::vector<std::string>& problems);

// Throws bad_input, its line beginning with `name`.
PredictionRecord parse_prediction_record(const std::string& text, const std::string& name);

}  // namespace wansweep
