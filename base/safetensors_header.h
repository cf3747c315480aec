// The header of a safetensors file: which tensors it holds, and where. The one parser of both programs.
//
// The format: 8 bytes little-endian length of the header, the header (a JSON object), the tensors' bytes. Every byte of
// the data belongs to exactly one tensor (github.com/huggingface/safetensors, "Format").
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wansweep {

struct TensorEntry {
  std::string dtype;  // as in the file: "F32", "BF16", ...
  std::vector<int64_t> shape;
  int64_t begin = 0;  // bytes, from the start of the file
  int64_t bytes = 0;

  int64_t values() const;  // 1 for a shape of []
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorEntry> tensors;  // by name
};

// Checks all of the header of the file whose first bytes are `start` (the header at least) and that has `file_bytes` in
// all, so that every entry lies inside it. Throws bad_input naming `file`, and the tensor if there is one.
SafetensorsHeader parse_safetensors_header(std::string_view start, int64_t file_bytes, const std::string& file);

// Reads the header alone, not the data. Throws bad_input, also for what is no safetensors file at all.
SafetensorsHeader read_safetensors_header(const std::string& file);

// Bytes of one value of a type; 0: no type of the format.
int64_t safetensors_value_bytes(const std::string& dtype);

}  // namespace wansweep
