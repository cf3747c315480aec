#include "orchestrator/plan/latents_file.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "base/safetensors_header.h"

namespace wansweep {
namespace {

const std::vector<int64_t>& shape_of(const SafetensorsHeader& header, const std::string& file, const char* name,
                                     size_t dimensions) {
  const auto tensor = header.tensors.find(name);
  if (tensor == header.tensors.end()) throw bad_input(fmt::format("{}: tensor {} is missing", file, name));
  const std::vector<int64_t>& shape = tensor->second.shape;
  if (shape.size() != dimensions) {
    throw bad_input(
        fmt::format("{}: tensor {} has {} dimensions; {} are needed", file, name, shape.size(), dimensions));
  }
  return shape;
}

}  // namespace

LatentsShape read_latents_shape(const std::string& file) {
  const SafetensorsHeader header = read_safetensors_header(file);
  const std::vector<int64_t>& latents = shape_of(header, file, "initial_latents", 5);
  const std::vector<int64_t>& prompt = shape_of(header, file, "prompt_embeds", 3);
  return {latents[2], latents[3], latents[4], prompt[1]};
}

}  // namespace wansweep
