// One expert's weights on the host: a buffer a block and one for the rest, filled from a checkpoint or at random.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schema/model_config.h"
#include "schema/weight_layout.h"
#include "worker/device/device.h"

namespace wansweep {

struct ExpertWeights {
  BufferLayout block;
  BufferLayout other;
  Buffer storage;  // all blocks and, behind them, the rest
  std::vector<std::byte*> blocks;
  std::byte* rest = nullptr;

  int64_t bytes() const { return block.bytes * static_cast<int64_t>(blocks.size()) + other.bytes; }
};

struct WeightSource {
  std::string directory;  // of the expert, with config.json and safetensors; empty when random
  std::optional<uint64_t> random_seed;
  std::string expert;  // "transformer" or "transformer_2": names the random stream, and errors
};

// Allocates and fills. Every tensor's name, shape and type is checked against `config` before the first is read:
// missing, unexpected, of another shape or an unknown type each throw bad_input naming file and tensor.
ExpertWeights load_expert(Device& device, const ModelConfig& config, DType type, HostMemory memory,
                          const WeightSource& source);

}  // namespace wansweep
