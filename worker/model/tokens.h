// Conversion between a video's latents and the transformer's tokens: one token for each patch, ordered by frame, then
// row, then column.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/latent_shape.h"
#include "schema/model_config.h"

namespace wansweep {

// From [channels, frames, height, width] to [tokens, channels * patch], and back. The values of a token are ordered
// (channel, frame, row, column), as in patch_embedding's weight.
std::vector<float> patchify(const ModelConfig& config, const LatentShape& shape, const float* latents);
std::vector<float> unpatchify(const ModelConfig& config, const LatentShape& shape, const float* tokens);

// Cosine and sine of the rotary embedding for tokens [begin, begin + count): f32 [count, head_dim / 2, 2]. Tokens past
// the end (padding) get position 0. Source: diffusers WanRotaryPosEmbed: theta 1e4, per axis (t, h, w) head_dim - 4
// (head_dim / 6), 2 (head_dim / 6), 2 (head_dim / 6) values, frequencies in f64.
std::vector<float> rotary_table(const ModelConfig& config, const LatentShape& shape, int64_t begin, int64_t count);

// Sinusoidal timestep embedding [freq_dim]: cosines, then sines, of t exp(-ln(1e4) j / half).
std::vector<float> timestep_embedding(int timestep, int freq_dim);

}  // namespace wansweep
