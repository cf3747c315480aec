#include "schema/model_config.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace wansweep {

namespace {

// Far above any model's sizes, and low enough that products of them (such as the bytes of all blocks) fit into 64 bits.
constexpr int most_heads = 1024;
constexpr int most_head_dim = 1024;
constexpr int most_layers = 10'000;
constexpr int most_width = 1'000'000;
constexpr int most_channels = 10'000;
constexpr int most_patch = 64;

// Refuses quantised models, whose config.json has {"quantization_config": {"quant_method": "bitsandbytes", ...}}.
void refuse_quantised(const nlohmann::json& config, const std::string& name) {
  const auto found = config.find("quantization_config");
  if (found == config.end() || found->is_null()) return;
  const bool named = found->is_object() && found->contains("quant_method");
  throw bad_input(fmt::format(
      "{}: this model is quantised (quantization_config: {}), and only F32, BF16 and F16 weights can be read; "
      "give the model as it was published",
      name, named ? (*found)["quant_method"].dump() : found->dump()));
}

class ConfigReader {
 public:
  ConfigReader(const nlohmann::json& json, const std::string& name) : json_(json), name_(name) {}

  int positive(const char* field, int most) const { return checked(field, at(field), most); }
  int checked(const char* field, const nlohmann::json& value, int most) const {
    if (!value.is_number_integer() || value.get<int64_t>() < 1 || value.get<int64_t>() > most) {
      throw bad_input(
          fmt::format("{}: {} is {}; a whole number from 1 to {} is needed", name_, field, at(field).dump(), most));
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
  const nlohmann::json json = parse_json_object(text, name);
  refuse_quantised(json, name);
  const ConfigReader reader(json, name);
  reader.must_be("_class_name", "WanTransformer3DModel");
  reader.must_be("qk_norm", "rms_norm_across_heads");
  reader.must_be("cross_attn_norm", true);
  ModelConfig config;
  config.heads = reader.positive("num_attention_heads", most_heads);
  config.head_dim = reader.positive("attention_head_dim", most_head_dim);
  config.layers = reader.positive("num_layers", most_layers);
  config.ffn_dim = reader.positive("ffn_dim", most_width);
  config.in_channels = reader.positive("in_channels", most_channels);
  config.out_channels = reader.positive("out_channels", most_channels);
  config.text_dim = reader.positive("text_dim", most_width);
  config.freq_dim = reader.positive("freq_dim", most_width);
  const nlohmann::json& patch = reader.at("patch_size");
  if (!patch.is_array() || patch.size() != 3)
    throw bad_input(fmt::format("{}: patch_size is {}; three numbers are needed", name, patch.dump()));
  config.patch_frames = reader.checked("patch_size", patch[0], most_patch);
  config.patch_height = reader.checked("patch_size", patch[1], most_patch);
  config.patch_width = reader.checked("patch_size", patch[2], most_patch);
  if (json.contains("eps") && json["eps"].is_number()) config.eps = json["eps"];
  return config;
}

ModelConfig read_model_config(const std::string& config_file) {
  return parse_model_config(read_text(config_file), config_file);
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
