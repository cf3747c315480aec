#include "worker/weights/expert_weights.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/parallel_for.h"
#include "worker/weights/random_values.h"
#include "worker/weights/safetensors.h"

namespace wansweep {

namespace {

std::string block_prefix(size_t block) { return fmt::format("blocks.{}.", block); }

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// proj_out's rows are ordered (frame, row, column, channel) of a patch, patch_embedding's inputs (channel, frame, row,
// column). Reordered while loading, the prediction's tokens look like the latents', and no step needs to reshuffle
// them.
void reorder_proj_out(const ModelConfig& c, int64_t row_bytes, std::byte* rows) {
  const int64_t patch = int64_t{c.patch_frames} * c.patch_height * c.patch_width;
  const std::vector<std::byte> original(rows, rows + patch * c.out_channels * row_bytes);
  for (int64_t p = 0; p < patch; ++p) {
    for (int64_t channel = 0; channel < c.out_channels; ++channel) {
      const std::byte* from = original.data() + (p * c.out_channels + channel) * row_bytes;
      std::copy(from, from + row_bytes, rows + (channel * patch + p) * row_bytes);
    }
  }
}

void reorder_if_projection(const ModelConfig& config, const TensorPlace& place, std::byte* data) {
  if (place.name == "proj_out.weight") reorder_proj_out(config, config.dim() * size_of(place.type), data);
  if (place.name == "proj_out.bias") reorder_proj_out(config, size_of(place.type), data);
}

// --- at random

// Scales that keep activations near 1 through any depth: matrices 1/sqrt(inputs), norms around 1, the rest small.
float random_scale(const TensorPlace& place) {
  if (place.shape.size() >= 2 && ends_with(place.name, ".weight")) {
    const int64_t inputs = place.values() / place.shape.front();
    return 1.0f / std::sqrt(static_cast<float>(inputs));
  }
  if (ends_with(place.name, "scale_shift_table")) return 1.0f / std::sqrt(static_cast<float>(place.shape.back()));
  return 0.02f;
}

bool is_norm_weight(const TensorPlace& place) { return place.shape.size() == 1 && ends_with(place.name, ".weight"); }

// --- piece by piece, on all cores

// Part of a tensor, on its way into a buffer.
struct Piece {
  const TensorPlace* place = nullptr;
  std::string name;
  std::byte* to = nullptr;  // the tensor's place; the piece starts at value `first` of it
  int64_t first = 0;
  int64_t count = 0;
};

void add_pieces(const BufferLayout& layout, const std::string& prefix, std::byte* buffer, std::vector<Piece>& pieces) {
  constexpr int64_t most_values = 1 << 17;  // a turn of half a millisecond
  for (const TensorPlace& place : layout.tensors) {
    for (int64_t first = 0; first < place.values(); first += most_values) {
      const int64_t count = std::min(most_values, place.values() - first);
      pieces.push_back({&place, prefix + place.name, buffer + place.offset, first, count});
    }
  }
}

void convert(const TensorView& values, const Piece& piece) {
  std::byte* to = piece.to + piece.first * size_of(piece.place->type);
  if (piece.place->type == DType::f32) {
    convert_to_f32(values, reinterpret_cast<float*>(to));
  } else {
    convert_to_bf16(values, reinterpret_cast<uint16_t*>(to));
  }
}

void read_piece(const SafetensorsModel& model, const Piece& piece) {
  TensorView part = model.find(piece.name);
  const int64_t value_bytes = part.bytes / part.values();
  part.shape = {piece.count};
  part.data += piece.first * value_bytes;
  part.bytes = piece.count * value_bytes;
  convert(part, piece);
}

void draw_piece(uint64_t seed, const std::string& expert, const Piece& piece) {
  thread_local std::vector<float> values;
  values.resize(static_cast<size_t>(piece.count));
  fill_normal(seed, expert + "." + piece.name, piece.first, values, random_scale(*piece.place));
  if (is_norm_weight(*piece.place)) {
    for (float& value : values) value += 1.0f;
  }
  convert({piece.name, "F32", {piece.count}, reinterpret_cast<const std::byte*>(values.data()), piece.count * 4},
          piece);
}

}  // namespace

ExpertWeights load_expert(Device& device, const ModelConfig& config, DType type, HostMemory memory,
                          const WeightSource& source) {
  ExpertWeights weights;
  weights.block = block_layout(config, type);
  weights.other = other_layout(config, type);
  const auto layers = static_cast<size_t>(config.layers);
  std::optional<SafetensorsModel> model;
  if (!source.random_seed) {
    model.emplace(source.directory);
    check_weights(model->files(), config);
  }

  const int64_t bytes = weights.block.bytes * config.layers + weights.other.bytes;
  weights.storage = device.allocate_host(bytes, memory, "host copy of " + source.expert);
  for (size_t block = 0; block < layers; ++block) {
    weights.blocks.push_back(weights.storage.data() + weights.block.bytes * static_cast<int64_t>(block));
  }
  weights.rest = weights.storage.data() + weights.block.bytes * config.layers;

  std::vector<Piece> pieces;
  for (size_t block = 0; block < layers; ++block) {
    add_pieces(weights.block, block_prefix(block), weights.blocks[block], pieces);
  }
  add_pieces(weights.other, "", weights.rest, pieces);
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    if (model) {
      read_piece(*model, piece);
    } else {
      draw_piece(*source.random_seed, source.expert, piece);
    }
  });
  for (const TensorPlace& place : weights.other.tensors) {
    reorder_if_projection(config, place, weights.rest + place.offset);
  }
  return weights;
}

}  // namespace wansweep
