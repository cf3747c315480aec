#include "worker/results.h"

#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"
#include "schema/setting_fields.h"
#include "worker/model/tokens.h"
#include "worker/weights/safetensors.h"

namespace wansweep {

namespace {

// A file that this run has just written and cannot read is a failure of its output, not of its input.
template <typename Read>
auto read_back(Read read) {
  try {
    return read();
  } catch (const Error& error) {
    throw Error(ExitCode::output, error.what());
  }
}

}  // namespace

std::vector<float> gather_latents(MpiWorld& world, Device& device, const RunPlan& run, const float* tokens) {
  const ModelConfig& config = run.model.config;
  std::vector<float> mine(static_cast<size_t>(run.parallel.tokens_per_rank * config.patch_values()));
  device.copy_out(StreamId::compute, mine.data(), tokens, static_cast<int64_t>(mine.size()) * 4);
  device.synchronize(device.record(StreamId::compute));
  const std::vector<float> all = world.gather(mine, run.parallel.sequence_ranks());
  return world.rank() == 0 ? unpatchify(config, run.input.latents, all.data()) : std::vector<float>();
}

void write_result(const std::string& directory, const RunPlan& run, const std::vector<float>& latents,
                  const KeptSteps& kept) {
  const LatentShape& s = run.input.latents;
  const std::vector<int64_t> shape{1, s.channels, s.frames, s.height, s.width};
  std::vector<int64_t> stacked{*run.settings.steps};
  stacked.insert(stacked.end(), shape.begin(), shape.end());
  std::vector<TensorToWrite> tensors{{"latents", shape, latents.data()}};
  if (run.settings.keep_steps) {
    tensors.push_back({"latents_per_step", stacked, kept.latents.data()});
    tensors.push_back({"noise_pred_per_step", stacked, kept.noise_pred.data()});
  }
  std::map<std::string, std::string> metadata;
  for (const Field& field : fields()) {
    const nlohmann::json value = get_field(run.settings, field);
    if (!value.is_null())
      metadata[std::string(field.name)] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  metadata["parallel_plan"] = run.parallel.name();
  metadata["switch_step"] = run.switch_step ? std::to_string(*run.switch_step) : "None";
  write_safetensors((std::filesystem::path(directory) / result_file_name).string(), metadata, tensors);
}

ResultRecord read_back_result(const std::string& directory) {
  return read_back([&] { return describe_result(directory); });
}

std::vector<TraceRecord> collect_traces(MpiWorld& world, const std::string& directory, const Recorder& recorder) {
  const std::string name = trace_file_name(world.rank());
  const nlohmann::json mine{{"file", name},
                            {"steps", recorder.steps_written()},
                            {"events", recorder.events_written()},
                            {"memory", recorder.memory_written()},
                            {"sha256", read_back([&] { return sha256_file(directory + "/" + name); })}};
  std::vector<TraceRecord> records;
  for (const std::string& text : world.gather_text(mine.dump())) {
    const nlohmann::json json = nlohmann::json::parse(text);
    records.push_back({json["file"], json["steps"], json["events"], json["memory"], json["sha256"]});
  }
  return records;
}

}  // namespace wansweep
