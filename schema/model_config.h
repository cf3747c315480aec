// The sizes of one Wan transformer, as its `config.json` (diffusers, WanTransformer3DModel) gives them.
#pragma once

#include <cstdint>
#include <string>

namespace wansweep {

struct ModelConfig {
  int heads = 0;
  int head_dim = 0;
  int layers = 0;
  int ffn_dim = 0;
  int in_channels = 0;
  int out_channels = 0;
  int text_dim = 0;
  int freq_dim = 0;  // width of the sinusoidal timestep embedding
  int patch_frames = 1;
  int patch_height = 2;
  int patch_width = 2;
  double eps = 1e-6;

  int64_t dim() const { return int64_t{heads} * head_dim; }
  // The number of values in one patch of the model's input. (Of its output: the same with out_channels.)
  int64_t patch_values() const { return int64_t{in_channels} * patch_frames * patch_height * patch_width; }
  bool operator==(const ModelConfig&) const = default;
};

// Reads DIR/config.json's fields. Throws bad_input naming the file and the field when one is missing, has the wrong
// type, or asks for a feature that the worker does not implement (image conditioning, another norm, another class).
ModelConfig read_model_config(const std::string& config_file);

// The same from JSON text; `name` is the file's name, for errors.
ModelConfig parse_model_config(const std::string& json, const std::string& name);

// The number of parameters of one transformer block, and of the weights outside blocks (embeddings, projections):
// 351,394,304 and 232,719,424 for A14B.
int64_t block_parameters(const ModelConfig& config);
int64_t other_parameters(const ModelConfig& config);

}  // namespace wansweep
