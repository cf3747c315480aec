// Sources of an expert's weights: a checkpoint or a seed. A source gives one piece at a time, in the device's layout,
// so that no second copy of an expert is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "schema/model_config.h"
#include "schema/run_plan.h"
#include "schema/schedule.h"
#include "schema/weight_layout.h"

namespace wansweep {

class WeightSource {
 public:
  virtual ~WeightSource() = default;

  // Fills `to`, on all cores, with one block of an expert (0 or 1), or with its weights outside blocks
  // (block == outside_blocks), laid out as schema/weight_layout says. One thread calls it at a time.
  virtual void read(int expert, int block, std::byte* to) const = 0;
};

// A model's directory in diffusers layout: transformer/ and, with two experts, transformer_2/. Every tensor's name,
// shape and type is checked against `config` before the first is read: missing, unexpected, of another shape or an
// unknown type each throw bad_input naming directory and tensor.
std::unique_ptr<WeightSource> open_checkpoint(const std::string& model, const ModelConfig& config, DType type,
                                              int experts);

// Random weights, the same for a seed on every machine, with scales that keep activations near 1 at any depth.
std::unique_ptr<WeightSource> random_weights(uint64_t seed, const ModelConfig& config, DType type);

// Opens the source that the run's settings name. Throws bad_input as open_checkpoint does.
std::unique_ptr<WeightSource> open_weights(const RunPlan& run);

}  // namespace wansweep
