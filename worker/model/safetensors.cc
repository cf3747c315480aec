#include "worker/model/safetensors.h"

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
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "schema/error.h"
#include "worker/device/cpu/float_formats.h"

static_assert(std::endian::native == std::endian::little, "safetensors data is used as it is in the file");

namespace wansweep {
namespace {

using nlohmann::json;

constexpr int64_t max_header_bytes = 100'000'000;  // the format's own limit

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int64_t dtype_bytes(const std::string& dtype) {
  static const std::map<std::string, int64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"U16", 2}, {"I16", 2}, {"F16", 2},
      {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},     {"U64", 8},     {"I64", 8}, {"F64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

std::optional<int64_t> as_size(const json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) return std::nullopt;
  return value.get<int64_t>();
}

struct Mapping {
  std::shared_ptr<const std::byte> data;
  int64_t bytes = 0;
};

Mapping map_file(const std::string& file) {
  const auto failed = [&] { return bad_input(fmt::format("{}: cannot be read: {}", file, std::strerror(errno))); };
  const Descriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (fd.get() < 0 || fstat(fd.get(), &status) != 0) throw failed();
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", file));
  const int64_t bytes = status.st_size;
  if (bytes < 8) throw bad_input(fmt::format("{}: has {} bytes; a safetensors file has at least 10", file, bytes));
  void* data = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) throw failed();
  return {{static_cast<const std::byte*>(data),
           [bytes](const std::byte* p) { munmap(const_cast<std::byte*>(p), static_cast<size_t>(bytes)); }},
          bytes};
}

json parse_header(const std::string& file, std::string_view text) {
  std::set<std::string> seen;
  const auto refuse_duplicates = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1 && !seen.insert(parsed.get<std::string>()).second) {
      throw bad_input(fmt::format("{}: tensor {} is in the header twice", file, parsed.get<std::string>()));
    }
    return true;
  };
  try {
    json header = json::parse(text, refuse_duplicates);
    if (!header.is_object()) throw bad_input(fmt::format("{}: the header is not a JSON object", file));
    return header;
  } catch (const json::exception& error) {
    throw bad_input(fmt::format("{}: the header is not JSON: {}", file, error.what()));
  }
}

std::map<std::string, std::string> parse_metadata(const std::string& file, const json& metadata) {
  if (!metadata.is_object()) throw bad_input(fmt::format("{}: __metadata__ is not an object of strings", file));
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string()) throw bad_input(fmt::format("{}: __metadata__.{} is not a string", file, key));
    result.emplace(key, value.get<std::string>());
  }
  return result;
}

TensorView parse_tensor(const std::string& file, const std::string& name, const json& entry, const std::byte* data,
                        int64_t data_bytes) {
  const auto refuse = [&](const std::string& why) {
    return bad_input(fmt::format("{}: tensor {}: {}", file, name, why));
  };
  if (!entry.is_object()) throw refuse("its header entry is not an object");
  TensorView tensor{.name = name, .dtype = {}, .shape = {}, .data = nullptr, .bytes = 0};

  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) throw refuse("has no dtype");
  tensor.dtype = dtype->get<std::string>();
  const int64_t value_bytes = dtype_bytes(tensor.dtype);
  if (value_bytes == 0) throw refuse(fmt::format("dtype {} is not known", tensor.dtype));

  const auto shape = entry.find("shape");
  if (shape == entry.end() || !shape->is_array()) throw refuse("has no shape");
  int64_t expected = value_bytes;
  for (const json& size : *shape) {
    const std::optional<int64_t> checked = as_size(size);
    if (!checked) throw refuse(fmt::format("shape {} has a size that is not a whole number from 0", shape->dump()));
    if (__builtin_mul_overflow(expected, *checked, &expected)) {
      throw refuse(fmt::format("shape {} overflows 64 bits", shape->dump()));
    }
    tensor.shape.push_back(*checked);
  }

  const auto offsets = entry.find("data_offsets");
  if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2) throw refuse("has no data_offsets pair");
  const std::optional<int64_t> begin = as_size((*offsets)[0]);
  const std::optional<int64_t> end = as_size((*offsets)[1]);
  if (!begin || !end || *begin > *end) {
    throw refuse(fmt::format("data_offsets {} are not a begin and an end", offsets->dump()));
  }
  if (*end > data_bytes) {
    throw refuse(fmt::format("data_offsets {} pass the end of the data, {} bytes", offsets->dump(), data_bytes));
  }
  tensor.data = data + *begin;
  tensor.bytes = *end - *begin;
  if (tensor.bytes != expected) {
    throw refuse(
        fmt::format("has {} bytes; {} of shape {} need {}", tensor.bytes, tensor.dtype, shape->dump(), expected));
  }
  return tensor;
}

// The format wants every byte of the data to belong to exactly one tensor.
void check_layout(const std::string& file, const std::map<std::string, TensorView>& tensors, const std::byte* data,
                  int64_t data_bytes) {
  std::vector<const TensorView*> order;
  order.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) order.push_back(&tensor);
  std::ranges::sort(order, {}, [](const TensorView* tensor) { return std::pair(tensor->data, tensor->bytes); });
  int64_t end = 0;
  const TensorView* before = nullptr;
  for (const TensorView* tensor : order) {
    const int64_t begin = tensor->data - data;
    if (begin < end) {
      throw bad_input(fmt::format("{}: tensor {} overlaps tensor {}", file, tensor->name, before->name));
    }
    if (begin > end) {
      throw bad_input(
          fmt::format("{}: tensor {}: {} bytes before it belong to no tensor", file, tensor->name, begin - end));
    }
    end = begin + tensor->bytes;
    before = tensor;
  }
  if (end != data_bytes) {
    throw bad_input(fmt::format("{}: the last {} bytes belong to no tensor", file, data_bytes - end));
  }
}

template <typename Map>
std::vector<std::string> sorted_keys(const Map& map) {
  std::vector<std::string> keys;
  keys.reserve(map.size());
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

json read_index(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw bad_input(fmt::format("{}: cannot be read: {}", file, std::strerror(errno)));
  try {
    json index = json::parse(stream);
    if (index.is_object() && index.contains("weight_map") && index["weight_map"].is_object()) return index;
  } catch (const json::exception& error) {
    throw bad_input(fmt::format("{}: is not JSON: {}", file, error.what()));
  }
  throw bad_input(fmt::format("{}: has no weight_map object", file));
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
      throw Error(ExitCode::internal, fmt::format("tensor {} is to be written twice", tensor.name));
    }
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // values start aligned
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

bool write_all(int fd, const void* data, int64_t bytes) {
  for (const char* at = static_cast<const char*>(data); bytes > 0;) {
    const ssize_t written = write(fd, at, static_cast<size_t>(bytes));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    bytes -= written;
  }
  return true;
}

bool sync_directory(const std::string& file) {
  const std::string parent = std::filesystem::path(file).parent_path().string();
  const Descriptor fd(open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.get() >= 0 && fsync(fd.get()) == 0;
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
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, mapping_.get(), sizeof header_bytes);
  if (header_bytes > max_header_bytes) {
    throw bad_input(
        fmt::format("{}: a header of {} bytes; at most {} are allowed", file, header_bytes, max_header_bytes));
  }
  const int64_t data_bytes = mapping.bytes - 8 - static_cast<int64_t>(header_bytes);
  if (data_bytes < 0) {
    throw bad_input(fmt::format("{}: a header of {} bytes passes the end of the file", file, header_bytes));
  }
  const auto* text = reinterpret_cast<const char*>(mapping_.get() + 8);
  const std::byte* data = mapping_.get() + 8 + header_bytes;
  const json header = parse_header(file, {text, header_bytes});
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      metadata_ = parse_metadata(file, entry);
    } else {
      tensors_.emplace(name, parse_tensor(file, name, entry, data, data_bytes));
    }
  }
  check_layout(file, tensors_, data, data_bytes);
}

std::vector<std::string> SafetensorsFile::names() const { return sorted_keys(tensors_); }

const TensorView& SafetensorsFile::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw bad_input(fmt::format("{}: has no tensor {}", file_, name));
  return found->second;
}

SafetensorsModel::SafetensorsModel(const std::string& directory) : directory_(directory) {
  const std::string single = directory + "/diffusion_pytorch_model.safetensors";
  const std::string index_file = single + ".index.json";
  const bool has_single = std::filesystem::exists(single);
  const bool has_index = std::filesystem::exists(index_file);
  if (has_single == has_index) {
    throw bad_input(fmt::format("{}: {} diffusion_pytorch_model.safetensors {} its .index.json; one of them is needed",
                                directory, has_single ? "has both" : "has neither", has_single ? "and" : "nor"));
  }
  if (has_single) {
    shards_.emplace_back(single);
    for (const std::string& name : shards_[0].names()) shard_of_.emplace(name, 0);
    return;
  }
  const json index = read_index(index_file);
  std::map<std::string, size_t> opened;
  for (const auto& [name, entry] : index["weight_map"].items()) {
    if (!entry.is_string()) throw bad_input(fmt::format("{}: weight_map.{} is not a string", index_file, name));
    const std::string shard = entry.get<std::string>();
    if (shard.empty() || shard.find('/') != std::string::npos) {
      throw bad_input(
          fmt::format("{}: weight_map.{} is \"{}\"; a file name without / is needed", index_file, name, shard));
    }
    if (!opened.contains(shard)) {
      const std::string path = (std::filesystem::path(directory) / shard).string();
      if (!std::filesystem::exists(path)) {
        throw bad_input(fmt::format("{}: weight_map.{} names {}, which is not there", index_file, name, shard));
      }
      opened.emplace(shard, shards_.size());
      shards_.emplace_back(path);
    }
    const size_t which = opened[shard];
    if (!shards_[which].contains(name)) {
      throw bad_input(fmt::format("{}: weight_map.{} names {}, which has no such tensor", index_file, name, shard));
    }
    shard_of_.emplace(name, which);
  }
}

std::vector<std::string> SafetensorsModel::names() const { return sorted_keys(shard_of_); }

const TensorView& SafetensorsModel::find(const std::string& name) const {
  const auto found = shard_of_.find(name);
  if (found == shard_of_.end()) throw bad_input(fmt::format("{}: has no tensor {}", directory_, name));
  return shards_[found->second].find(name);
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
  Descriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  bool written = fd.get() >= 0 && write_all(fd.get(), header.data(), static_cast<int64_t>(header.size()));
  for (const TensorToWrite& tensor : tensors) {
    if (!written) break;
    written = write_all(fd.get(), tensor.data, TensorView{{}, {}, tensor.shape, nullptr, 0}.values() * 4);
  }
  written = written && fsync(fd.get()) == 0 && close(fd.release()) == 0 &&
            rename(temporary.c_str(), file.c_str()) == 0 && sync_directory(file);
  if (written) return;
  const int error = errno;
  unlink(temporary.c_str());
  throw Error(ExitCode::output, fmt::format("{}: cannot be written: {}", file, std::strerror(error)));
}

}  // namespace wansweep
