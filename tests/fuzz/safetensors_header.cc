// The header of a safetensors file. What it accepts must lie inside the file.
#include "base/formats/safetensors_header.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wansweep;
  const auto bytes = static_cast<int64_t>(size);
  fuzz::accept_or_refuse([&] {
    const SafetensorsHeader header = parse_safetensors_header(fuzz::text_of(data, size), bytes, "input");
    for (const auto& [name, tensor] : header.tensors) {
      const bool inside = tensor.begin >= 8 && tensor.bytes >= 0 && tensor.begin + tensor.bytes <= bytes;
      if (!inside || tensor.values() * safetensors_value_bytes(tensor.dtype) != tensor.bytes) std::abort();
    }
  });
  return 0;
}
