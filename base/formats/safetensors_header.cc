// The header comes from files that others made, and its offsets decide which bytes are used as weights. So the whole
// header is checked before any of it is used: lengths against the file's size, products against overflow, and that the
// tensors cover the data without holes or overlaps.

#include "base/formats/safetensors_header.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/downloaded_file.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

static_assert(std::endian::native == std::endian::little, "safetensors data is used as it is in the file");

namespace wansweep {
namespace {

using nlohmann::json;

constexpr int64_t length_bytes = 8;
constexpr int64_t most_header_bytes = 100'000'000;  // the format's own limit

std::optional<int64_t> as_size(const json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) return std::nullopt;
  return value.get<int64_t>();
}

json parse_text(const std::string& file, std::string_view text) {
  if (json_levels(text) > most_json_levels) {
    throw bad_input(fmt::format("{}: the header is nested deeper than {} levels", file, most_json_levels));
  }
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
    throw bad_input(fmt::format("{}: the header is not JSON: {}", file, json_problem(error)));
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

// `begin` of the returned entry counts from the start of the data, not of the file.
TensorEntry parse_tensor(const std::string& file, const std::string& name, const json& entry, int64_t data_bytes) {
  const auto refuse = [&](const std::string& why) {
    return bad_input(fmt::format("{}: tensor {}: {}", file, name, why));
  };
  if (!entry.is_object()) throw refuse("its header entry is not an object");
  TensorEntry tensor;

  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) throw refuse("has no dtype");
  tensor.dtype = dtype->get<std::string>();
  const int64_t value_bytes = safetensors_value_bytes(tensor.dtype);
  if (value_bytes == 0) throw refuse(fmt::format("dtype {} is unknown", tensor.dtype));

  const auto shape = entry.find("shape");
  if (shape == entry.end() || !shape->is_array()) throw refuse("has no shape");
  int64_t expected = value_bytes;
  for (const json& size : *shape) {
    const std::optional<int64_t> checked = as_size(size);
    if (!checked)
      throw refuse(fmt::format("shape {} has a size that is not a whole number of at least 0", shape->dump()));
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
    throw refuse(fmt::format("data_offsets {} are not a begin and an end that follows it", offsets->dump()));
  }
  if (*end > data_bytes) {
    throw refuse(
        fmt::format("data_offsets {} extend past the end of the data ({} bytes)", offsets->dump(), data_bytes));
  }
  tensor.begin = *begin;
  tensor.bytes = *end - *begin;
  if (tensor.bytes != expected) {
    throw refuse(
        fmt::format("has {} bytes; {} of shape {} need {}", tensor.bytes, tensor.dtype, shape->dump(), expected));
  }
  return tensor;
}

void check_layout(const std::string& file, const std::map<std::string, TensorEntry>& tensors, int64_t data_bytes) {
  using Named = std::pair<const std::string, TensorEntry>;
  std::vector<const Named*> order;
  order.reserve(tensors.size());
  for (const Named& each : tensors) order.push_back(&each);
  std::ranges::sort(order, {}, [](const Named* each) { return std::pair(each->second.begin, each->second.bytes); });
  int64_t end = 0;
  const Named* before = nullptr;
  for (const Named* each : order) {
    const auto& [name, tensor] = *each;
    if (tensor.begin < end) throw bad_input(fmt::format("{}: tensor {} overlaps tensor {}", file, name, before->first));
    if (tensor.begin > end) {
      throw bad_input(
          fmt::format("{}: tensor {}: {} bytes before it belong to no tensor", file, name, tensor.begin - end));
    }
    end = tensor.begin + tensor.bytes;
    before = each;
  }
  if (end != data_bytes) {
    throw bad_input(fmt::format("{}: the last {} bytes belong to no tensor", file, data_bytes - end));
  }
}

int64_t header_length(std::string_view start, int64_t file_bytes, const std::string& file) {
  refuse_lfs_pointer(start, file);
  if (file_bytes < length_bytes) {
    throw bad_input(fmt::format("{}: has {} bytes; a safetensors file has at least 10", file, file_bytes));
  }
  uint64_t length = 0;
  std::memcpy(&length, start.data(), sizeof length);
  if (length > uint64_t{most_header_bytes}) {
    throw bad_input(fmt::format(
        "{}: is not a safetensors file: its first 8 bytes should be the length of its header, at most {}, and "
        "are {}",
        file, most_header_bytes, length));
  }
  if (static_cast<int64_t>(length) > file_bytes - length_bytes) {
    throw bad_input(fmt::format("{}: the header of {} bytes extends past the end of the file", file, length));
  }
  return static_cast<int64_t>(length);
}

}  // namespace

int64_t safetensors_value_bytes(const std::string& dtype) {
  static const std::map<std::string, int64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"U16", 2}, {"I16", 2}, {"F16", 2},
      {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},     {"U64", 8},     {"I64", 8}, {"F64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

int64_t TensorEntry::values() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

SafetensorsHeader parse_safetensors_header(std::string_view start, int64_t file_bytes, const std::string& file) {
  const int64_t length = header_length(start, file_bytes, file);
  const int64_t data_begin = length_bytes + length;
  const int64_t data_bytes = file_bytes - data_begin;
  const json text = parse_text(file, start.substr(length_bytes, static_cast<size_t>(length)));
  SafetensorsHeader header;
  for (const auto& [name, entry] : text.items()) {
    if (name == "__metadata__") {
      header.metadata = parse_metadata(file, entry);
    } else {
      header.tensors.emplace(name, parse_tensor(file, name, entry, data_bytes));
    }
  }
  check_layout(file, header.tensors, data_bytes);
  for (auto& [name, tensor] : header.tensors) tensor.begin += data_begin;
  return header;
}

SafetensorsHeader read_safetensors_header(const std::string& file) {
  const auto failed = [&] { return bad_input(fmt::format("{}: cannot be read: {}", file, error_text(errno))); };
  const FileDescriptor fd(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) throw failed();
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", file));
  const auto read_up_to = [&](int64_t bytes) {
    std::string text(static_cast<size_t>(std::min<int64_t>(bytes, status.st_size)), '\0');
    for (size_t done = 0; done < text.size();) {
      const ssize_t got = pread(fd.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw failed();
      if (got == 0) throw bad_input(fmt::format("{}: was cut short while it was read", file));
      done += static_cast<size_t>(got);
    }
    return text;
  };
  constexpr int64_t enough_to_tell = 64;
  const int64_t length = header_length(read_up_to(enough_to_tell), status.st_size, file);
  return parse_safetensors_header(read_up_to(length_bytes + length), status.st_size, file);
}

}  // namespace wansweep
