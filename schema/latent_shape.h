// The sizes of the latents and the text that a run denoises, and the number of tokens that the transformer makes of
// them.
#pragma once

#include <cstdint>
#include <string>

#include "schema/model_config.h"

namespace wansweep {

// Sizes of the latents [channels, frames, height, width].
struct LatentShape {
  int64_t channels = 0;
  int64_t frames = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t values() const { return channels * frames * height * width; }
  bool operator==(const LatentShape&) const = default;
};

// The sizes of a run's inputs.
struct InputShape {
  LatentShape latents;
  int64_t text_tokens = 0;  // tokens of each of the two prompts
  bool operator==(const InputShape&) const = default;
};

inline constexpr int64_t encoded_text_tokens = 512;  // what Wan's text encoder pads each prompt to

// A VAE's compression: pixels per latent value, in time and in space (4 and 8 for z16).
struct VaeStrides {
  int time = 4;
  int space = 8;
};

// The sizes of the latents of a video of `frames` x height x width pixels.
LatentShape latent_shape(int64_t channels, int64_t frames, int64_t height, int64_t width, VaeStrides strides);

// The sizes in a safetensors file with initial_latents [1, C, F, H, W], prompt_embeds and negative_prompt_embeds [1, T,
// text_dim]. Reads only the header. Throws bad_input naming the file, the tensor and its shape when a tensor is
// missing, has other dimensions, or does not fit the model.
InputShape read_input_shape(const std::string& file, const ModelConfig& config);

// The number of tokens of the latents, one a patch. Throws bad_input when the patch size does not divide the latents'.
int64_t token_count(const ModelConfig& config, const LatentShape& shape);

}  // namespace wansweep
