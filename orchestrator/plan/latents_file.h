// What a plan needs to know of an inputs file, read from its safetensors header alone.
#pragma once

#include <cstdint>
#include <string>

namespace wansweep {

struct LatentsShape {
  int64_t frames = 0;  // of the latents: [1, 16, frames, height, width]
  int64_t height = 0;
  int64_t width = 0;
  int64_t text_tokens = 0;  // of prompt_embeds: [1, text_tokens, text_dim]
};

// Throws bad_input naming the file and the tensor.
LatentsShape read_latents_shape(const std::string& file);

}  // namespace wansweep
