// Weights on disk: safetensors files, and the single file or the shards of a model directory.
//
// A file is mapped, not read: the system reads a tensor's pages when its values are used. Objects are immutable; any
// thread may use them.
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
  const std::byte* data = nullptr;  // little-endian, not aligned; valid as long as the file or model object
  int64_t bytes = 0;

  int64_t values() const;  // 1 for a shape of []
};

class SafetensorsFile {
 public:
  // Checks the whole header, so that every view is valid. Throws bad_input naming the file, and the tensor if the fault
  // is in one.
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
  // Maps the files that read_weight_files finds in the directory. Throws bad_input as that does.
  explicit SafetensorsModel(const std::string& directory);

  const WeightFiles& files() const { return files_; }
  bool contains(const std::string& name) const { return views_.contains(name); }
  const TensorView& find(const std::string& name) const;  // throws bad_input when there is none

 private:
  WeightFiles files_;
  std::vector<std::shared_ptr<const std::byte>> mappings_;  // one a file
  std::map<std::string, TensorView> views_;
};

// All values of an F32, BF16 or F16 tensor, rounded to nearest even. Throws bad_input for other types.
void convert_to_f32(const TensorView& tensor, float* out);
void convert_to_bf16(const TensorView& tensor, uint16_t* out);

struct TensorToWrite {
  std::string name;
  std::vector<int64_t> shape;
  const float* data = nullptr;
};

// Writes FILE atomically: to a temporary name beside it, synced, and renamed. Throws Error(output).
void write_safetensors(const std::string& file, const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorToWrite>& tensors);

}  // namespace wansweep
