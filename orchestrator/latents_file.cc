#include "orchestrator/latents_file.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "schema/error.h"

namespace wansweep {
namespace {

constexpr uint64_t max_header_bytes = 100'000'000;  // the safetensors format's own limit

nlohmann::json read_header(const std::string& file) {
  std::error_code failed;
  const uint64_t file_bytes = std::filesystem::file_size(file, failed);
  std::ifstream stream(file, std::ios::binary);
  if (failed || !stream) throw bad_input(fmt::format("{}: inputs cannot be read; a safetensors file is needed", file));
  std::array<unsigned char, 8> length_bytes{};
  if (!stream.read(reinterpret_cast<char*>(length_bytes.data()), length_bytes.size())) {
    throw bad_input(fmt::format("{}: inputs is {} bytes long; a safetensors file is needed", file, file_bytes));
  }
  uint64_t length = 0;
  for (size_t i = 0; i < length_bytes.size(); ++i) length |= uint64_t{length_bytes[i]} << (8 * i);
  if (length > max_header_bytes || length > file_bytes - length_bytes.size()) {
    throw bad_input(fmt::format("{}: inputs says its header is {} bytes, the file has {}: truncated, or no safetensors",
                                file, length, file_bytes));
  }
  std::string text(length, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  nlohmann::json header = nlohmann::json::parse(text, nullptr, false);
  if (!stream || !header.is_object()) {
    throw bad_input(fmt::format("{}: inputs has a header that is not JSON; a safetensors file is needed", file));
  }
  return header;
}

std::vector<int64_t> shape_of(const nlohmann::json& header, const std::string& file, const char* name, size_t rank) {
  const auto tensor = header.find(name);
  if (tensor == header.end()) throw bad_input(fmt::format("{}: tensor {} is missing", file, name));
  std::vector<int64_t> shape;
  if (tensor->is_object() && tensor->contains("shape") && tensor->at("shape").is_array()) {
    for (const auto& size : tensor->at("shape")) {
      if (size.is_number_unsigned()) shape.push_back(size.get<int64_t>());
    }
  }
  if (shape.size() != rank) {
    throw bad_input(fmt::format("{}: tensor {} has no shape of {} dimensions", file, name, rank));
  }
  return shape;
}

}  // namespace

LatentsShape read_latents_shape(const std::string& file) {
  const nlohmann::json header = read_header(file);
  const std::vector<int64_t> latents = shape_of(header, file, "initial_latents", 5);
  const std::vector<int64_t> prompt = shape_of(header, file, "prompt_embeds", 3);
  return {latents[2], latents[3], latents[4], prompt[1]};
}

}  // namespace wansweep
