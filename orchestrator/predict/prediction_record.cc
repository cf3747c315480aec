#include "orchestrator/predict/prediction_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "schema/version.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int record_version = 1;
constexpr const char* folder = "predictions";

Json to_json(const RecordedPrediction& prediction) {
  Json json{
      {"config", prediction.config}, {"device_bytes", prediction.device_bytes}, {"host_bytes", prediction.host_bytes}};
  for (const Quantity quantity : values_of<Quantity>()) {
    const Estimate& e = prediction.seconds[static_cast<size_t>(quantity)];
    json["seconds"][std::string(name_of(quantity))] = {e.value, e.low, e.high};
  }
  return json;
}

RecordedPrediction prediction_from(const Json& json) {
  RecordedPrediction prediction;
  prediction.config = json.at("config");
  prediction.device_bytes = json.at("device_bytes");
  prediction.host_bytes = json.at("host_bytes");
  for (const Quantity quantity : values_of<Quantity>()) {
    const Json& triple = json.at("seconds").at(std::string(name_of(quantity)));
    prediction.seconds[static_cast<size_t>(quantity)] = {triple.at(0), triple.at(1), triple.at(2)};
  }
  return prediction;
}

std::string file_of(const std::string& directory, const PredictionRecord& record) {
  return fmt::format("{}/{}/{}.json", directory, folder, record.machine_digest.substr(0, 16));
}

}  // namespace

std::optional<PredictionRecord> earlier_predictions(const std::string& directory, const PredictionRecord& record) {
  const std::string file = file_of(directory, record);
  const std::optional<std::string> text = read_text_if_there(file);
  if (!text) return std::nullopt;
  return parse_prediction_record(*text, file);
}

PredictionRecord record_of(const MachineFile& machine, const Plan& plan, const std::vector<Prediction>& predictions) {
  PredictionRecord record{machine.machine.name,
                          machine.digest,
                          std::string(name_of(machine.machine.source)),
                          timestamp_now(),
                          fmt::format("{} ({})", version, git_revision),
                          {}};
  for (size_t i = 0; i < predictions.size(); ++i) {
    const Prediction& prediction = predictions[i];
    if (!plan.configurations[i].run || !prediction.unknown.empty()) continue;
    RecordedPrediction& recorded = record.predictions.emplace_back();
    recorded.config = plan.configurations[i].hash;
    std::ranges::copy(prediction.seconds, recorded.seconds);
    recorded.device_bytes = prediction.device_bytes;
    recorded.host_bytes = prediction.host_bytes;
  }
  return record;
}

std::string write_predictions(const std::string& directory, const PredictionRecord& record) {
  make_directories(directory + "/" + folder);
  Json predictions = Json::array();
  for (const RecordedPrediction& each : record.predictions) predictions.push_back(to_json(each));
  const Json json{{"version", record_version},
                  {"machine", record.machine},
                  {"machine_digest", record.machine_digest},
                  {"machine_source", record.machine_source},
                  {"made_at", record.made_at},
                  {"wansweep", record.wansweep},
                  {"predictions", std::move(predictions)}};
  const std::string file = file_of(directory, record);
  write_file_atomically(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  return file;
}

PredictionRecord parse_prediction_record(const std::string& text, const std::string& name) {
  const Json json = parse_json_object(text, name);
  try {
    if (json.at("version") != record_version) {
      throw bad_input(
          fmt::format("{}: version is {}; this wansweep reads {}", name, json.at("version").dump(), record_version));
    }
    PredictionRecord record{json.at("machine"), json.at("machine_digest"), json.at("machine_source"),
                            json.at("made_at"), json.at("wansweep"),       {}};
    for (const Json& each : json.at("predictions")) record.predictions.push_back(prediction_from(each));
    return record;
  } catch (const Json::exception& error) {
    throw bad_input(fmt::format("{}: is not a record of predictions: {}", name, json_problem(error)));
  }
}

std::vector<PredictionRecord> read_predictions(const std::string& directory, std::vector<std::string>& problems) {
  std::vector<std::string> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory + "/" + folder, failed)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  std::vector<PredictionRecord> records;
  for (const std::string& file : files) {
    try {
      records.push_back(parse_prediction_record(read_text(file), file));
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  return records;
}

}  // namespace wansweep
