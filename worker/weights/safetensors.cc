// Files are mapped, and views point into the mapping: a 57 GB model is never read twice, and pages that are not used
// are never read. Values are copied out with memcpy, since nothing in a file is aligned.

#include "worker/weights/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/float_formats.h"
#include "base/formats/safetensors_header.h"

static_assert(std::endian::native == std::endian::little, "safetensors data is used as it is in the file");

namespace wansweep {
namespace {

using nlohmann::json;

struct Mapping {
  std::shared_ptr<const std::byte> data;
  int64_t bytes = 0;
};

Mapping map_file(const std::string& file) {
  const auto failed = [&] { return bad_input(fmt::format("{}: cannot be read: {}", file, error_text(errno))); };
  const FileDescriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) throw failed();
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", file));
  const int64_t bytes = status.st_size;
  if (bytes < 8) throw bad_input(fmt::format("{}: has {} bytes; a safetensors file has at least 10", file, bytes));
  void* data = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) throw failed();
  return {{static_cast<const std::byte*>(data),
           [bytes](const std::byte* p) { munmap(const_cast<std::byte*>(p), static_cast<size_t>(bytes)); }},
          bytes};
}

// Calls store(i, f32 value) for every value.
template <typename Store>
void for_each_value(const TensorView& tensor, Store store) {
  const int64_t count = tensor.values();
  const auto load = [&tensor]<typename T>(int64_t i, T value) {
    std::memcpy(&value, tensor.data + i * static_cast<int64_t>(sizeof value), sizeof value);
    return value;
  };
  if (tensor.dtype == "F32") {
    for (int64_t i = 0; i < count; ++i) store(i, load(i, 0.0F));
  } else if (tensor.dtype == "BF16") {
    for (int64_t i = 0; i < count; ++i) store(i, bf16_to_f32(load(i, uint16_t{0})));
  } else if (tensor.dtype == "F16") {
    for (int64_t i = 0; i < count; ++i) store(i, f16_to_f32(load(i, uint16_t{0})));
  } else {
    throw bad_input(
        fmt::format("tensor {}: dtype {} cannot be used; F32, BF16 or F16 is needed", tensor.name, tensor.dtype));
  }
}

std::string make_header(const std::map<std::string, std::string>& metadata, const std::vector<TensorToWrite>& tensors) {
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    const int64_t bytes = TensorView{{}, {}, tensor.shape, nullptr, 0}.values() * 4;
    if (header.contains(tensor.name)) {
      throw Error(ExitCode::internal, fmt::format("tensor {} is given twice", tensor.name));
    }
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // values start aligned
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

}  // namespace

int64_t TensorView::values() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

SafetensorsFile::SafetensorsFile(const std::string& file) : file_(file) {
  const Mapping mapping = map_file(file);
  mapping_ = mapping.data;
  SafetensorsHeader header = parse_safetensors_header(
      {reinterpret_cast<const char*>(mapping_.get()), static_cast<size_t>(mapping.bytes)}, mapping.bytes, file);
  metadata_ = std::move(header.metadata);
  for (auto& [name, entry] : header.tensors) {
    tensors_.emplace(name,
                     TensorView{name, entry.dtype, std::move(entry.shape), mapping_.get() + entry.begin, entry.bytes});
  }
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

const TensorView& SafetensorsFile::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw bad_input(fmt::format("{}: tensor {} is missing", file_, name));
  return found->second;
}

SafetensorsModel::SafetensorsModel(const std::string& directory) : files_(read_weight_files(directory)) {
  std::vector<int64_t> sizes;
  for (const std::string& file : files_.files) {
    Mapping mapping = map_file(file);
    mappings_.push_back(std::move(mapping.data));
    sizes.push_back(mapping.bytes);
  }
  for (const auto& [name, tensor] : files_.tensors) {
    const TensorEntry& entry = tensor.entry;
    if (entry.begin + entry.bytes > sizes[tensor.file]) {
      throw bad_input(fmt::format("{}: was cut short while it was read", files_.file_of(tensor)));
    }
    views_.emplace(name,
                   TensorView{name, entry.dtype, entry.shape, mappings_[tensor.file].get() + entry.begin, entry.bytes});
  }
}

const TensorView& SafetensorsModel::find(const std::string& name) const {
  const auto found = views_.find(name);
  if (found == views_.end()) throw bad_input(fmt::format("{}: tensor {} is missing", files_.directory, name));
  return found->second;
}

void convert_to_f32(const TensorView& tensor, float* out) {
  for_each_value(tensor, [out](int64_t i, float value) { out[i] = value; });
}

void convert_to_bf16(const TensorView& tensor, uint16_t* out) {
  for_each_value(tensor, [out](int64_t i, float value) { out[i] = f32_to_bf16(value); });
}

void write_safetensors(const std::string& file, const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorToWrite>& tensors) {
  const std::string header = make_header(metadata, tensors);
  const std::string temporary = fmt::format("{}.{}.tmp", file, getpid());
  FileDescriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  const auto failed = [&] {
    return Error(ExitCode::output, fmt::format("{}: cannot be written: {}", file, error_text(errno)));
  };
  if (!fd) throw failed();
  try {
    write_all(fd.get(), header.data(), header.size(), file);
    for (const TensorToWrite& tensor : tensors) {
      const int64_t values = TensorView{{}, {}, tensor.shape, nullptr, 0}.values();
      write_all(fd.get(), tensor.data, static_cast<size_t>(values) * 4, file);
    }
    if (fsync(fd.get()) != 0 || fd.close() != 0 || rename(temporary.c_str(), file.c_str()) != 0) throw failed();
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  const std::string parent = std::filesystem::path(file).parent_path().string();
  sync_directory(parent.empty() ? "." : parent);
}

}  // namespace wansweep
