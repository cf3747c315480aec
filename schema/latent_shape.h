// The sizes of what is denoised: of the latents, of the text, and how many tokens the transformer makes of them.
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

// What a run denoises, by its sizes.
struct InputShape {
  LatentShape latents;
  int64_t text_tokens = 0;  // of each of the two prompts
  bool operator==(const InputShape&) const = default;
};

inline constexpr int64_t encoded_text_tokens = 512;  // what Wan's text encoder pads each prompt to

// How a VAE makes latents of pixels: 4 in time and 8 in space for z16.
struct VaeStrides {
  int time = 4;
  int space = 8;
};

// Latent sizes of a video of `frames` x height x width pixels.
LatentShape latent_shape(int64_t channels, int64_t frames, int64_t height, int64_t width, VaeStrides strides);

// Of a safetensors file with initial_latents [1, C, F, H, W], prompt_embeds and negative_prompt_embeds [1, T,
// text_dim]; reads its header alone. Throws bad_input naming the file, the tensor and its shape when one is missing,
// has other dimensions, or does not fit the model.
InputShape read_input_shape(const std::string& file, const ModelConfig& config);

// Tokens of the latents, one a patch. Throws bad_input when the patch does not divide a size.
int64_t token_count(const ModelConfig& config, const LatentShape& shape);

}  // namespace wansweep
