#include "schema/latent_shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/formats/safetensors_header.h"

namespace wansweep {
namespace {

// The shape of tensor `name`, which must have `dimensions` dimensions, the first of size 1 and none of size 0.
const std::vector<int64_t>& sample_shape(const SafetensorsHeader& header, const std::string& file, const char* name,
                                         size_t dimensions) {
  const auto found = header.tensors.find(name);
  if (found == header.tensors.end()) throw bad_input(fmt::format("{}: tensor {} is missing", file, name));
  const std::vector<int64_t>& shape = found->second.shape;
  bool empty = false;
  for (const int64_t size : shape) empty |= size == 0;
  if (shape.size() != dimensions || shape.front() != 1 || empty) {
    throw bad_input(fmt::format("{}: tensor {} has the shape [{}]; {} dimensions are needed, the first of size 1", file,
                                name, fmt::join(shape, ", "), dimensions));
  }
  return shape;
}

int64_t prompt_tokens(const SafetensorsHeader& header, const std::string& file, const char* name,
                      const ModelConfig& config) {
  const std::vector<int64_t>& shape = sample_shape(header, file, name, 3);
  if (shape[2] != config.text_dim) {
    throw bad_input(fmt::format("{}: tensor {} has a last dimension of {}; the model's text_dim is {}", file, name,
                                shape[2], config.text_dim));
  }
  return shape[1];
}

}  // namespace

LatentShape latent_shape(int64_t channels, int64_t frames, int64_t height, int64_t width, VaeStrides strides) {
  return {channels, (frames - 1) / strides.time + 1, height / strides.space, width / strides.space};
}

InputShape read_input_shape(const std::string& file, const ModelConfig& config) {
  const SafetensorsHeader header = read_safetensors_header(file);
  const std::vector<int64_t>& latents = sample_shape(header, file, "initial_latents", 5);
  if (latents[1] != config.in_channels) {
    throw bad_input(
        fmt::format("{}: initial_latents has {} channels; the model takes {}", file, latents[1], config.in_channels));
  }
  const int64_t tokens = prompt_tokens(header, file, "prompt_embeds", config);
  const int64_t negative_tokens = prompt_tokens(header, file, "negative_prompt_embeds", config);
  if (negative_tokens != tokens) {
    throw bad_input(
        fmt::format("{}: negative_prompt_embeds has {} tokens, prompt_embeds {}; both must have the same number", file,
                    negative_tokens, tokens));
  }
  return {{latents[1], latents[2], latents[3], latents[4]}, tokens};
}

int64_t token_count(const ModelConfig& config, const LatentShape& shape) {
  const auto patches = [](int64_t size, int patch, const char* what) {
    if (size < 1 || size % patch != 0) {
      throw bad_input(fmt::format("latents of {} {} cannot be cut into patches of {}", size, what, patch));
    }
    return size / patch;
  };
  return patches(shape.frames, config.patch_frames, "frames") * patches(shape.height, config.patch_height, "rows") *
         patches(shape.width, config.patch_width, "columns");
}

}  // namespace wansweep
