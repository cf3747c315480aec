// Weights on disk: the safetensors format, and a model directory's one file or its shards.
//
// A file is mapped, not read: a tensor's pages come in when its values are used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "schema/weight_files.h"

namespace wansweep {

struct TensorView {
  std::string name;
  std::string dtype;  // as in the file: "F32", "BF16", ...
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;  // little-endian, of any alignment; lives as long as the file or model object
  int64_t bytes = 0;

  int64_t values() const;  // 1 for a shape of []
};

class SafetensorsFile {
 public:
  // Checks all of the header, so that every view is sound. Throws bad_input naming the file, and the tensor if there is
  // one.
  explicit SafetensorsFile(const std::string& file);

  const std::string& file() const { return file_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  std::vector<std::string> names() const;  // sorted
  bool contains(const std::string& name) const { return tensors_.contains(name); }
  const TensorView& find(const std::string& name) const;  // throws bad_input when there is none

 private:
  std::string file_;
  std::shared_ptr<const std::byte> mapping_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, TensorView> tensors_;
};

class SafetensorsModel {
 public:
  // Maps the files that read_weight_files finds in the directory; throws bad_input as it does.
  explicit SafetensorsModel(const std::string& directory);

  const WeightFiles& files() const { return files_; }
  bool contains(const std::string& name) const { return views_.contains(name); }
  const TensorView& find(const std::string& name) const;  // throws bad_input when there is none

 private:
  WeightFiles files_;
  std::vector<std::shared_ptr<const std::byte>> mappings_;  // one a file
  std::map<std::string, TensorView> views_;
};

// All values of an F32, BF16 or F16 tensor, rounded to nearest even; bad_input for other types.
void convert_to_f32(const TensorView& tensor, float* out);
void convert_to_bf16(const TensorView& tensor, uint16_t* out);

struct TensorToWrite {
  std::string name;
  std::vector<int64_t> shape;
  const float* data = nullptr;
};

// Writes FILE whole or not at all: to a temporary name beside it, to the disk, then under its name. Throws
// Error(output).
void write_safetensors(const std::string& file, const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorToWrite>& tensors);

}  // namespace wansweep
