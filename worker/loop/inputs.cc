#include "worker/loop/inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "worker/weights/random_values.h"
#include "worker/weights/safetensors.h"

namespace wansweep {

namespace {

constexpr int64_t drawn_text_tokens = 512;  // what Wan's text encoder gives

std::vector<float> read_tensor(const SafetensorsFile& file, const std::string& name, size_t dimensions,
                               std::vector<int64_t>* shape) {
  const TensorView& view = file.find(name);
  if (view.shape.size() != dimensions || view.shape.front() != 1) {
    throw bad_input(fmt::format("{}: tensor {} has the shape [{}]; {} dimensions are needed, the first of size 1",
                                file.file(), name, fmt::join(view.shape, ", "), dimensions));
  }
  *shape = view.shape;
  std::vector<float> values(static_cast<size_t>(view.values()));
  convert_to_f32(view, values.data());
  return values;
}

std::vector<float> read_prompt(const SafetensorsFile& file, const std::string& name, const ModelConfig& config,
                               int64_t* tokens) {
  std::vector<int64_t> shape;
  std::vector<float> values = read_tensor(file, name, 3, &shape);
  if (shape[2] != config.text_dim) {
    throw bad_input(fmt::format("{}: tensor {} is {} wide; the model's text_dim is {}", file.file(), name, shape[2],
                                config.text_dim));
  }
  *tokens = shape[1];
  return values;
}

RunInputs read_inputs(const std::string& name, const ModelConfig& config) {
  const SafetensorsFile file(name);
  RunInputs inputs;
  std::vector<int64_t> shape;
  inputs.latents = read_tensor(file, "initial_latents", 5, &shape);
  inputs.shape = {shape[1], shape[2], shape[3], shape[4]};
  if (inputs.shape.channels != config.in_channels) {
    throw bad_input(fmt::format("{}: initial_latents has {} channels; the model takes {}", name, inputs.shape.channels,
                                config.in_channels));
  }
  int64_t negative_tokens = 0;
  inputs.prompt = read_prompt(file, "prompt_embeds", config, &inputs.text_tokens);
  inputs.negative_prompt = read_prompt(file, "negative_prompt_embeds", config, &negative_tokens);
  if (negative_tokens != inputs.text_tokens) {
    throw bad_input(fmt::format("{}: negative_prompt_embeds has {} tokens, prompt_embeds {}; they must be as many",
                                name, negative_tokens, inputs.text_tokens));
  }
  return inputs;
}

RunInputs draw_inputs(const RunSpec& spec, const ModelConfig& config, VaeStrides strides) {
  RunInputs inputs;
  inputs.shape =
      latent_shape(config.in_channels, *spec.frames, spec.height(), spec.width(), strides.time, strides.space);
  inputs.latents.resize(static_cast<size_t>(inputs.shape.values()));
  inputs.text_tokens = drawn_text_tokens;
  const auto text_values = static_cast<size_t>(drawn_text_tokens * config.text_dim);
  inputs.prompt.resize(text_values);
  inputs.negative_prompt.resize(text_values);
  const auto seed = static_cast<uint64_t>(spec.seed);
  fill_normal(seed, "initial_latents", 0, inputs.latents, 1);
  fill_normal(seed, "prompt_embeds", 0, inputs.prompt, 1);
  fill_normal(seed, "negative_prompt_embeds", 0, inputs.negative_prompt, 1);
  return inputs;
}

}  // namespace

RunInputs make_inputs(const RunSpec& spec, const ModelConfig& config, VaeStrides strides) {
  RunInputs inputs = spec.inputs.empty() ? draw_inputs(spec, config, strides) : read_inputs(spec.inputs, config);
  token_count(config, inputs.shape);
  return inputs;
}

}  // namespace wansweep
