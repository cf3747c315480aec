// Both sources fill a piece tensor by tensor, cut into tasks for all cores. They differ in the values of a task: from
// the mapped file, converted to the layout's type, or from the random stream of the tensor's name.

#include "worker/weights/weight_source.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "base/parallel_for.h"
#include "schema/weight_files.h"
#include "worker/weights/random_values.h"
#include "worker/weights/safetensors.h"

namespace wansweep {

namespace {

constexpr std::array<const char*, 2> expert_names{"transformer", "transformer_2"};

std::string prefix_of(int block) { return block == outside_blocks ? "" : fmt::format("blocks.{}.", block); }

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// In the files, proj_out's rows are ordered (frame, row, column, channel) in a patch, but patch_embedding's inputs
// (channel, frame, row, column). Loading reorders them, so that the tokens of the prediction have the order of the
// latents' and no step needs to reorder them.
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

// One task: a part of a tensor that is to be written into a buffer.
struct Part {
  const TensorPlace* place = nullptr;
  std::string name;
  std::byte* to = nullptr;  // destination of the part
  int64_t first = 0;        // number of its first value in the tensor
  int64_t count = 0;
};

std::vector<Part> cut(const BufferLayout& layout, const std::string& prefix, std::byte* buffer) {
  constexpr int64_t most_values = 1 << 17;  // about half a millisecond of work
  std::vector<Part> parts;
  for (const TensorPlace& place : layout.tensors) {
    for (int64_t first = 0; first < place.values(); first += most_values) {
      const int64_t count = std::min(most_values, place.values() - first);
      parts.push_back({&place, prefix + place.name, buffer + place.offset + first * size_of(place.type), first, count});
    }
  }
  return parts;
}

void convert(const TensorView& values, const Part& part) {
  if (part.place->type == DType::f32) {
    convert_to_f32(values, reinterpret_cast<float*>(part.to));
  } else {
    convert_to_bf16(values, reinterpret_cast<uint16_t*>(part.to));
  }
}

class LaidOutSource : public WeightSource {
 public:
  LaidOutSource(const ModelConfig& config, DType type)
      : config_(config), block_(block_layout(config, type)), other_(other_layout(config, type)) {}

  void read(int expert, int block, std::byte* to) const override {
    const BufferLayout& layout = block == outside_blocks ? other_ : block_;
    const std::vector<Part> parts = cut(layout, prefix_of(block), to);
    parallel_for(static_cast<int64_t>(parts.size()), [&](int64_t i) { fill(expert, parts[static_cast<size_t>(i)]); });
    for (const TensorPlace& place : layout.tensors) reorder_if_projection(config_, place, to + place.offset);
  }

 protected:
  virtual void fill(int expert, const Part& part) const = 0;

  ModelConfig config_;
  BufferLayout block_, other_;
};

class Checkpoint : public LaidOutSource {
 public:
  Checkpoint(const std::string& model, const ModelConfig& config, DType type, int experts)
      : LaidOutSource(config, type) {
    for (int expert = 0; expert < experts; ++expert) {
      const std::string directory =
          (std::filesystem::path(model) / expert_names.at(static_cast<size_t>(expert))).string();
      check_weights(experts_.emplace_back(directory).files(), config);
    }
  }

 private:
  void fill(int expert, const Part& part) const override {
    TensorView values = experts_[static_cast<size_t>(expert)].find(part.name);
    const int64_t value_bytes = values.bytes / values.values();
    values.shape = {part.count};
    values.data += part.first * value_bytes;
    values.bytes = part.count * value_bytes;
    convert(values, part);
  }

  std::vector<SafetensorsModel> experts_;
};

class RandomWeights : public LaidOutSource {
 public:
  RandomWeights(uint64_t seed, const ModelConfig& config, DType type) : LaidOutSource(config, type), seed_(seed) {}

 private:
  void fill(int expert, const Part& part) const override {
    thread_local std::vector<float> values;
    values.resize(static_cast<size_t>(part.count));
    const std::string stream = fmt::format("{}.{}", expert_names.at(static_cast<size_t>(expert)), part.name);
    fill_normal(seed_, stream, part.first, values, random_scale(*part.place));
    if (is_norm_weight(*part.place)) {
      for (float& value : values) value += 1.0f;
    }
    convert({part.name, "F32", {part.count}, reinterpret_cast<const std::byte*>(values.data()), part.count * 4}, part);
  }

  uint64_t seed_;
};

}  // namespace

std::unique_ptr<WeightSource> open_checkpoint(const std::string& model, const ModelConfig& config, DType type,
                                              int experts) {
  return std::make_unique<Checkpoint>(model, config, type, experts);
}

std::unique_ptr<WeightSource> random_weights(uint64_t seed, const ModelConfig& config, DType type) {
  return std::make_unique<RandomWeights>(seed, config, type);
}

std::unique_ptr<WeightSource> open_weights(const RunPlan& run) {
  if (const std::optional<uint64_t> seed = random_weights_seed(run.settings.weights)) {
    return random_weights(*seed, run.model.config, run.type);
  }
  return open_checkpoint(run.settings.model, run.model.config, run.type, run.experts());
}

}  // namespace wansweep
