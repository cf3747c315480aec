// One expert's weights on disk: which file holds which tensor, and whether the worker can use them.
//
// Only headers are read, some hundred kilobytes of a 28 GB expert. The plan checks before a run is submitted, and the
// worker before it loads, with the same functions, so that the worker accepts what the plan accepted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/formats/safetensors_header.h"
#include "schema/model_config.h"

namespace wansweep {

struct WeightFiles {
  struct Tensor {
    size_t file = 0;  // index into `files`
    TensorEntry entry;
  };

  std::string directory;
  std::vector<std::string> files;         // paths; the header of each is checked
  std::map<std::string, Tensor> tensors;  // by name; with an index, the tensors that the index names

  const std::string& file_of(const Tensor& tensor) const { return files[tensor.file]; }
};

// DIR/diffusion_pytorch_model.safetensors, or its shards by DIR/diffusion_pytorch_model.safetensors.index.json. Throws
// bad_input when there is neither, when there are both, when shards are missing or cut short, are pointers of git-lfs
// or links that lead nowhere, and when the index and the shards do not agree.
WeightFiles read_weight_files(const std::string& directory);

// Checks that the files hold exactly the tensors of a model of these sizes, each of the right shape and of a type that
// the worker reads. Throws bad_input naming file and tensor.
void check_weights(const WeightFiles& files, const ModelConfig& config);

// Finds and checks the weights of each expert in the directory MODEL: transformer and, with `two_experts`,
// transformer_2. Throws as the two above.
void check_model_weights(const std::string& model, const ModelConfig& config, bool two_experts);

}  // namespace wansweep
