#include "schema/model_config.h"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace wansweep {

namespace {

class ConfigReader {
 public:
  ConfigReader(const nlohmann::json& json, const std::string& name) : json_(json), name_(name) {}

  int positive(const char* field) const {
    const nlohmann::json& value = at(field);
    if (!value.is_number_integer() || value.get<int64_t>() < 1 || value.get<int64_t>() > 1'000'000) {
      throw bad_input(fmt::format("{}: {} is {}; a whole number above 0 is needed", name_, field, value.dump()));
    }
    return value.get<int>();
  }
  void must_be(const char* field, const nlohmann::json& wanted) const {
    if (!json_.contains(field)) return;
    if (json_[field] != wanted) {
      throw bad_input(
          fmt::format("{}: {} is {}; only {} is implemented", name_, field, json_[field].dump(), wanted.dump()));
    }
  }
  const nlohmann::json& at(const char* field) const {
    if (!json_.contains(field)) throw bad_input(fmt::format("{}: {} is missing", name_, field));
    return json_[field];
  }

 private:
  const nlohmann::json& json_;
  const std::string& name_;
};

}  // namespace

ModelConfig parse_model_config(const std::string& text, const std::string& name) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) throw bad_input(fmt::format("{}: is not a JSON object", name));
  const ConfigReader reader(json, name);
  reader.must_be("_class_name", "WanTransformer3DModel");
  reader.must_be("qk_norm", "rms_norm_across_heads");
  reader.must_be("cross_attn_norm", true);
  ModelConfig config;
  config.heads = reader.positive("num_attention_heads");
  config.head_dim = reader.positive("attention_head_dim");
  config.layers = reader.positive("num_layers");
  config.ffn_dim = reader.positive("ffn_dim");
  config.in_channels = reader.positive("in_channels");
  config.out_channels = reader.positive("out_channels");
  config.text_dim = reader.positive("text_dim");
  config.freq_dim = reader.positive("freq_dim");
  const nlohmann::json& patch = reader.at("patch_size");
  if (!patch.is_array() || patch.size() != 3)
    throw bad_input(fmt::format("{}: patch_size is {}; three numbers are needed", name, patch.dump()));
  for (const nlohmann::json& size : patch) {
    if (!size.is_number_integer() || size.get<int64_t>() < 1) {
      throw bad_input(fmt::format("{}: patch_size is {}; whole numbers above 0 are needed", name, patch.dump()));
    }
  }
  config.patch_frames = patch[0];
  config.patch_height = patch[1];
  config.patch_width = patch[2];
  if (json.contains("eps") && json["eps"].is_number()) config.eps = json["eps"];
  return config;
}

ModelConfig read_model_config(const std::string& config_file) {
  std::ifstream file(config_file);
  if (!file) throw bad_input(fmt::format("{}: cannot be read", config_file));
  std::ostringstream text;
  text << file.rdbuf();
  return parse_model_config(text.str(), config_file);
}

int64_t block_parameters(const ModelConfig& c) {
  const int64_t d = c.dim();
  const int64_t attention = 4 * (d * d + d) + 2 * d;
  return 2 * attention + 2 * d * c.ffn_dim + c.ffn_dim + d + 2 * d + 6 * d;
}

int64_t other_parameters(const ModelConfig& c) {
  const int64_t d = c.dim();
  const int64_t patch = int64_t{c.patch_frames} * c.patch_height * c.patch_width;
  const int64_t embed = d * c.in_channels * patch + d;
  const int64_t time = c.freq_dim * d + d + d * d + d + 6 * d * d + 6 * d;
  const int64_t text = c.text_dim * d + d + d * d + d;
  const int64_t out = c.out_channels * patch * d + c.out_channels * patch + 2 * d;
  return embed + time + text + out;
}

}  // namespace wansweep
