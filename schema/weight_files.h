// One expert's weights as they lie on disk: which file holds which tensor, and whether the worker can use them.
//
// Headers alone are read, some hundred kilobytes of a 28 GB expert. The plan checks before anything queues, the worker
// before it loads, by the same functions, so that what the one accepts the other does not refuse.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/safetensors_header.h"
#include "schema/model_config.h"

namespace wansweep {

struct WeightFiles {
  struct Tensor {
    size_t file = 0;  // which of `files`
    TensorEntry entry;
  };

  std::string directory;
  std::vector<std::string> files;         // paths; each header is sound
  std::map<std::string, Tensor> tensors;  // by name: of an index, those that it names

  const std::string& file_of(const Tensor& tensor) const { return files[tensor.file]; }
};

// DIR/diffusion_pytorch_model.safetensors, or its shards by DIR/diffusion_pytorch_model.safetensors.index.json. Throws
// bad_input when there is neither, when there are both, when shards are missing or cut short, are pointers of git-lfs
// or links that lead nowhere, and when the index and the shards do not agree.
WeightFiles read_weight_files(const std::string& directory);

// Every tensor of a model of these sizes is there, of its shape and of a type that the worker reads, and no other.
// Throws bad_input naming file and tensor.
void check_weights(const WeightFiles& files, const ModelConfig& config);

// Both for each expert of the model in the directory MODEL: transformer and, with `two_experts`, transformer_2.
void check_model_weights(const std::string& model, const ModelConfig& config, bool two_experts);

}  // namespace wansweep
