// What a run denoises: the first latents and the text embeddings, from a file or from a seed.
#pragma once

#include <vector>

#include "schema/model_config.h"
#include "schema/run_settings.h"
#include "worker/model/tokens.h"

namespace wansweep {

struct RunInputs {
  LatentShape shape;
  std::vector<float> latents;  // [channels, frames, height, width]
  int64_t text_tokens = 0;
  std::vector<float> prompt;  // [text tokens, text_dim]
  std::vector<float> negative_prompt;
};

// Strides of the VAE that made the latents, for `size` and `frames`.
struct VaeStrides {
  int time = 4;
  int space = 8;
};

// From spec.inputs (`initial_latents` [1, C, F, H, W], `prompt_embeds` and `negative_prompt_embeds` [1, T, text_dim]),
// or drawn by fill_normal(seed, those names) with 512 text tokens. Throws bad_input naming file, tensor and shape.
RunInputs make_inputs(const RunSpec& spec, const ModelConfig& config, VaeStrides strides);

}  // namespace wansweep
