#include "orchestrator/store/read_only.h"

#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <optional>

#include "base/error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

// What changes when a file is written to.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec time{};
  bool operator==(const Stamp& o) const {
    return device == o.device && inode == o.inode && size == o.size && time.tv_sec == o.time.tv_sec &&
           time.tv_nsec == o.time.tv_nsec;
  }
};

std::optional<Stamp> stamp_of(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return Stamp{status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

bool has_content(const std::string& file) {
  const std::optional<Stamp> stamp = stamp_of(file);
  return stamp && stamp->size > 0;
}

Error changed(const std::string& path) {
  return {ExitCode::store_busy, fmt::format("{}: was changed while it was read; try again", path)};
}

class AsItLies : public ReadOnlyAccess {
 public:
  explicit AsItLies(std::string path) : path_(std::move(path)), opened_(stamp_of(path_)) {}
  void check_unchanged() const override {
    if (stamp_of(path_) != opened_) throw changed(path_);
  }

 private:
  std::string path_;
  std::optional<Stamp> opened_;
};

constexpr std::array<const char*, 3> parts{"", "-wal", "-journal"};

class Copy : public ReadOnlyAccess {
 public:
  explicit Copy(const std::string& path) {
    std::string pattern = (fs::temp_directory_path() / "wansweep-read-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw Error(ExitCode::output, fmt::format("{}: a temporary folder cannot be created", pattern));
    }
    folder_ = pattern;
    try {
      const auto before = stamps(path);
      for (const char* part : parts) {
        if (!has_content(path + part)) continue;
        std::error_code failed;
        fs::copy_file(path + part, file() + part, fs::copy_options::overwrite_existing, failed);
        if (failed) throw Error(ExitCode::output, fmt::format("{}: cannot be copied: {}", path, failed.message()));
      }
      if (stamps(path) != before) throw changed(path);
    } catch (...) {
      remove();
      throw;
    }
  }
  ~Copy() override { remove(); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  std::string file() const { return folder_ + "/results.db"; }

 private:
  static std::array<std::optional<Stamp>, parts.size()> stamps(const std::string& path) {
    std::array<std::optional<Stamp>, parts.size()> all;
    for (size_t i = 0; i < parts.size(); ++i) all[i] = stamp_of(path + parts[i]);
    return all;
  }
  void remove() const {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string folder_;
};

// "file:" and the path, with what a URI would read otherwise written as %XX.
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char c : fs::absolute(path).string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '.' || c == '-' || c == '_';
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

bool is_refused(const SQLite::Exception& exception) {
  const int code = exception.getErrorCode() & 0xFF;
  return code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
}

}  // namespace

OpenedReadOnly open_read_only(const std::string& path, int timeout_ms) {
  try {
    SQLite::Database db(path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, timeout_ms);
    db.execAndGet("SELECT count(*) FROM sqlite_schema");  // a log beside it is opened by the first read
    return {std::move(db), nullptr};
  } catch (const SQLite::Exception& exception) {
    if (!is_refused(exception)) throw;
  }
  if (!has_content(path + "-wal") && !has_content(path + "-journal")) {
    auto access = std::make_unique<AsItLies>(path);
    return {SQLite::Database(uri_of(path) + "?immutable=1",
                             SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | SQLite::OPEN_URI, timeout_ms),
            std::move(access)};
  }
  auto copy = std::make_unique<Copy>(path);
  // Writable, so that SQLite can finish what the log or the journal holds; queries are kept from writing by other
  // means.
  SQLite::Database db(copy->file(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, timeout_ms);
  return {std::move(db), std::move(copy)};
}

}  // namespace wansweep
