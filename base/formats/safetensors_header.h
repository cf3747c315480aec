// The header of a safetensors file: which tensors the file holds, and where. Both programs use this parser.
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

// Parses and checks a header: `start` holds at least the header, and the file has `file_bytes` bytes in all. Every
// returned entry lies inside the file. Throws bad_input naming `file`, and the tensor if the fault is in one.
SafetensorsHeader parse_safetensors_header(std::string_view start, int64_t file_bytes, const std::string& file);

// Reads the header of a file, not the data. Throws bad_input, also when the file is not a safetensors file.
SafetensorsHeader read_safetensors_header(const std::string& file);

// Bytes of one value of type `dtype`; 0 when the format has no such type.
int64_t safetensors_value_bytes(const std::string& dtype);

}  // namespace wansweep
