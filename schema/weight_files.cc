// Types are checked before names and shapes: a quantised model differs in all three, and its types identify it best.

#include "schema/weight_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/downloaded_file.h"
#include "base/error.h"
#include "base/json.h"
#include "schema/weight_layout.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool is_link(const std::string& file) {
  std::error_code error;
  return fs::is_symlink(file, error);
}

// A file in the directory that holds weights under another name or in another form than the worker reads; "" when there
// is none.
std::string other_weights(const std::string& directory) {
  constexpr std::array<std::string_view, 6> endings{".safetensors", ".gguf", ".bin", ".pth", ".pt", ".incomplete"};
  std::set<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (std::ranges::any_of(endings, [&](std::string_view ending) { return name.ends_with(ending); })) {
      found.insert(name);
    }
  }
  return found.empty() ? "" : *found.begin();
}

[[noreturn]] void refuse_missing(const std::string& directory, const std::string& single, const std::string& index) {
  for (const std::string& file : {single, index}) {
    if (is_link(file)) throw bad_input(fmt::format("{}: {}", file, why_missing(file)));
  }
  const std::string other = other_weights(directory);
  throw bad_input(
      fmt::format("{}: has neither diffusion_pytorch_model.safetensors nor "
                  "diffusion_pytorch_model.safetensors.index.json{}; one of "
                  "them is needed",
                  directory, other.empty() ? "" : fmt::format(", but {}", other)));
}

// The files that an index names; the value is the file's position among `files`.
std::map<std::string, size_t> find_shards(const json& weight_map, const std::string& index_file, WeightFiles& files) {
  std::map<std::string, size_t> shards;
  std::vector<std::string> missing;
  std::string needed_by;  // a tensor in the first missing shard
  for (const auto& [name, entry] : weight_map.items()) {
    if (!entry.is_string()) throw bad_input(fmt::format("{}: weight_map.{} is not a string", index_file, name));
    const std::string shard = entry.get<std::string>();
    if (shard.empty() || shard.find('/') != std::string::npos) {
      throw bad_input(
          fmt::format("{}: weight_map.{} is \"{}\"; a file name without / is needed", index_file, name, shard));
    }
    if (!shards.emplace(shard, files.files.size()).second) continue;
    files.files.push_back((fs::path(files.directory) / shard).string());
    if (is_there(files.files.back())) continue;
    if (missing.empty()) needed_by = name;
    missing.push_back(shard);
  }
  if (missing.empty()) return shards;
  const std::string first = (fs::path(files.directory) / missing.front()).string();
  throw bad_input(fmt::format(
      "{}: weight_map.{} names {}, which {}{}", index_file, needed_by, missing.front(), why_missing(first),
      missing.size() > 1 ? fmt::format(" ({} of {} shards are missing)", missing.size(), shards.size()) : ""));
}

void read_sharded(const std::string& index_file, WeightFiles& files) {
  const json index = read_json_object(index_file);
  if (!index.contains("weight_map") || !index["weight_map"].is_object()) {
    throw bad_input(fmt::format("{}: has no weight_map object", index_file));
  }
  const json& weight_map = index["weight_map"];
  const std::map<std::string, size_t> shards = find_shards(weight_map, index_file, files);
  std::vector<SafetensorsHeader> headers;
  headers.reserve(files.files.size());
  for (const std::string& file : files.files) headers.push_back(read_safetensors_header(file));
  for (const auto& [name, entry] : weight_map.items()) {
    const std::string& shard = entry.get_ref<const std::string&>();
    const size_t which = shards.at(shard);
    const auto tensor = headers[which].tensors.find(name);
    if (tensor == headers[which].tensors.end()) {
      throw bad_input(
          fmt::format("{}: weight_map.{} names {}, which does not hold that tensor", index_file, name, shard));
    }
    files.tensors.emplace(name, WeightFiles::Tensor{which, std::move(tensor->second)});
  }
}

bool is_read(const std::string& dtype) { return dtype == "F32" || dtype == "BF16" || dtype == "F16"; }

}  // namespace

WeightFiles read_weight_files(const std::string& directory) {
  const std::string single = directory + "/diffusion_pytorch_model.safetensors";
  const std::string index = single + ".index.json";
  const bool has_single = is_there(single);
  const bool has_index = is_there(index);
  if (!has_single && !has_index) refuse_missing(directory, single, index);
  if (has_single && has_index) {
    throw bad_input(
        fmt::format("{}: has both diffusion_pytorch_model.safetensors and "
                    "diffusion_pytorch_model.safetensors.index.json; remove one of them",
                    directory));
  }
  WeightFiles files;
  files.directory = directory;
  if (has_index) {
    read_sharded(index, files);
    return files;
  }
  files.files.push_back(single);
  SafetensorsHeader header = read_safetensors_header(single);
  for (auto& [name, entry] : header.tensors) files.tensors.emplace(name, WeightFiles::Tensor{0, std::move(entry)});
  return files;
}

void check_weights(const WeightFiles& files, const ModelConfig& config) {
  for (const auto& [name, tensor] : files.tensors) {
    if (is_read(tensor.entry.dtype)) continue;
    throw bad_input(fmt::format(
        "{}: tensor {} has the type {}, as in a quantised model, and only F32, BF16 and F16 can be read; give "
        "the model as it was published",
        files.file_of(tensor), name, tensor.entry.dtype));
  }
  std::set<std::string> expected;
  const auto check = [&](const BufferLayout& layout, const std::string& prefix) {
    for (const TensorPlace& place : layout.tensors) {
      const std::string name = prefix + place.name;
      const auto tensor = files.tensors.find(name);
      if (tensor == files.tensors.end()) {
        throw bad_input(
            fmt::format("{}: has no tensor {}; a model of {} blocks needs it", files.directory, name, config.layers));
      }
      if (tensor->second.entry.shape != place.shape) {
        throw bad_input(fmt::format("{}: tensor {} has the shape [{}]; config.json asks for [{}]",
                                    files.file_of(tensor->second), name, fmt::join(tensor->second.entry.shape, ", "),
                                    fmt::join(place.shape, ", ")));
      }
      expected.insert(name);
    }
  };
  const BufferLayout block = block_layout(config, DType::f32);  // names and shapes are the same in every type
  for (int i = 0; i < config.layers; ++i) check(block, fmt::format("blocks.{}.", i));
  check(other_layout(config, DType::f32), "");
  for (const auto& [name, tensor] : files.tensors) {
    if (expected.contains(name)) continue;
    throw bad_input(fmt::format("{}: unexpected tensor {}: this model has blocks 0 to {}", files.file_of(tensor), name,
                                config.layers - 1));
  }
}

void check_model_weights(const std::string& model, const ModelConfig& config, bool two_experts) {
  check_weights(read_weight_files(model + "/transformer"), config);
  if (two_experts) check_weights(read_weight_files(model + "/transformer_2"), config);
}

}  // namespace wansweep
