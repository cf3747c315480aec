#include "worker/model/tokens.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

namespace {

struct Grid {
  int64_t frames, rows, columns;
};

Grid grid_of(const ModelConfig& c, const LatentShape& s) {
  return {s.frames / c.patch_frames, s.height / c.patch_height, s.width / c.patch_width};
}

// Calls visit(latent index, token index) for every value. Both directions of the reordering use it.
template <typename Visit>
void for_each_value(const ModelConfig& c, const LatentShape& s, Visit visit) {
  const Grid grid = grid_of(c, s);
  int64_t at = 0;
  for (int64_t f = 0; f < grid.frames; ++f) {
    for (int64_t r = 0; r < grid.rows; ++r) {
      for (int64_t w = 0; w < grid.columns; ++w) {
        for (int64_t channel = 0; channel < s.channels; ++channel) {
          for (int pf = 0; pf < c.patch_frames; ++pf) {
            for (int ph = 0; ph < c.patch_height; ++ph) {
              for (int pw = 0; pw < c.patch_width; ++pw, ++at) {
                const int64_t frame = f * c.patch_frames + pf;
                const int64_t row = r * c.patch_height + ph;
                const int64_t column = w * c.patch_width + pw;
                visit(((channel * s.frames + frame) * s.height + row) * s.width + column, at);
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace

std::vector<float> patchify(const ModelConfig& c, const LatentShape& s, const float* latents) {
  std::vector<float> tokens(static_cast<size_t>(s.values()));
  for_each_value(c, s, [&](int64_t latent, int64_t token) { tokens[static_cast<size_t>(token)] = latents[latent]; });
  return tokens;
}

std::vector<float> unpatchify(const ModelConfig& c, const LatentShape& s, const float* tokens) {
  std::vector<float> latents(static_cast<size_t>(s.values()));
  for_each_value(c, s, [&](int64_t latent, int64_t token) { latents[static_cast<size_t>(latent)] = tokens[token]; });
  return latents;
}

std::vector<float> rotary_table(const ModelConfig& c, const LatentShape& s, int64_t begin, int64_t count) {
  const int space = 2 * (c.head_dim / 6);
  const std::array<int, 3> axis_dims{c.head_dim - 2 * space, space, space};
  const Grid grid = grid_of(c, s);
  const int64_t tokens = grid.frames * grid.rows * grid.columns;
  std::vector<float> table(static_cast<size_t>(count * c.head_dim));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t token = begin + i < tokens ? begin + i : 0;
    const std::array<int64_t, 3> position{token / (grid.rows * grid.columns), token / grid.columns % grid.rows,
                                          token % grid.columns};
    auto* row = &table[static_cast<size_t>(i * c.head_dim)];
    for (size_t axis = 0; axis < 3; ++axis) {
      for (int pair = 0; pair < axis_dims[axis] / 2; ++pair) {
        const double frequency = std::pow(1e4, -2.0 * pair / axis_dims[axis]);
        const double angle = static_cast<double>(position[axis]) * frequency;
        *row++ = static_cast<float>(std::cos(angle));
        *row++ = static_cast<float>(std::sin(angle));
      }
    }
  }
  return table;
}

std::vector<float> timestep_embedding(int timestep, int freq_dim) {
  const int half = freq_dim / 2;
  std::vector<float> embedding(static_cast<size_t>(2 * half));
  for (int j = 0; j < half; ++j) {
    const float frequency = std::exp(-std::log(10000.0f) * static_cast<float>(j) / static_cast<float>(half));
    const float angle = static_cast<float>(timestep) * frequency;
    embedding[static_cast<size_t>(j)] = std::cos(angle);
    embedding[static_cast<size_t>(half) + static_cast<size_t>(j)] = std::sin(angle);
  }
  return embedding;
}

}  // namespace wansweep
