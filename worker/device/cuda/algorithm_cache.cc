#include "worker/device/cuda/algorithm_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace wansweep {

namespace {

std::string default_file() {
  if (const char* file = std::getenv("WANSWEEP_ALGORITHM_CACHE")) return file;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache == nullptr && home == nullptr) return {};
  const std::filesystem::path base =
      cache != nullptr ? std::filesystem::path(cache) : std::filesystem::path(home) / ".cache";
  return (base / "wansweep" / "cublas-algorithms").string();
}

// An open file, locked against other writers.
class LockedFile {
 public:
  explicit LockedFile(const std::string& file) : descriptor_(open(file.c_str(), O_CREAT | O_RDWR | O_APPEND, 0644)) {
    if (descriptor_ >= 0) flock(descriptor_, LOCK_EX);
  }
  ~LockedFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  bool append(const std::string& line) const {
    return descriptor_ >= 0 && write(descriptor_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  }
  // Whether a process that was killed while it wrote left a line without an end.
  bool ends_within_a_line() const {
    const off_t size = lseek(descriptor_, 0, SEEK_END);
    char last = '\n';
    return size > 0 && pread(descriptor_, &last, 1, size - 1) == 1 && last != '\n';
  }

 private:
  int descriptor_;
};

std::string line_of(const std::string& key, const std::string& value) {
  return fmt::format("{}\t{}\t{}\n", key, value, key.size() + value.size());
}

}  // namespace

AlgorithmCache::AlgorithmCache() : file_(default_file()) {
  if (file_.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), ignored);
  if (!LockedFile(file_).append("")) file_.clear();
  read();
}

void AlgorithmCache::read() {
  if (file_.empty()) return;
  std::ifstream stream(file_);
  for (std::string line; std::getline(stream, line);) {
    const size_t after_key = line.find('\t'), after_value = line.rfind('\t');
    if (after_key == after_value) continue;
    const std::string key = line.substr(0, after_key), value = line.substr(after_key + 1, after_value - after_key - 1);
    if (line + "\n" == line_of(key, value)) values_.emplace(key, value);
  }
}

std::optional<std::string> AlgorithmCache::find(const std::string& key) {
  if (!values_.contains(key)) read();
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::string AlgorithmCache::store(const std::string& key, const std::string& value) {
  if (!file_.empty()) {
    const LockedFile file(file_);
    read();
    if (!values_.contains(key)) file.append((file.ends_within_a_line() ? "\n" : "") + line_of(key, value));
  }
  return values_.emplace(key, value).first->second;
}

}  // namespace wansweep
