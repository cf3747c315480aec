#include "schema/completion.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "fmt/format.h"
#include "schema/error.h"
#include "schema/trace_file.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* completion_name = "completed.json";
constexpr const char* failure_name = "failure.json";

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  // Network file systems report a failed write here at the latest.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

[[noreturn]] void fail_output(const std::string& file, const char* what) {
  throw Error(ExitCode::output, fmt::format("{}: cannot {}: {}", file, what, std::strerror(errno)));
}

void write_and_sync(FileDescriptor& fd, const std::string& file, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_output(file, "write");
    done += static_cast<size_t>(n);
  }
  if (::fsync(fd.get()) != 0) fail_output(file, "sync");
  if (fd.close() != 0) fail_output(file, "write");
}

// The name itself is only durable with the directory. Some file systems cannot sync one (EINVAL); that is no failure.
void sync_directory_of(const std::string& file) {
  const std::string directory = (fs::path(file).parent_path() / ".").string();
  FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) fail_output(directory, "open");
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP) fail_output(directory, "sync");
}

// `text`, synced, under a name that no other process on any node picks. Removed again when it was not renamed.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& file, const std::string& text) {
    std::random_device random;
    name_ = fmt::format("{}.{}-{:08x}{:08x}.tmp", file, ::getpid(), random(), random());
    FileDescriptor fd(::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd.get() < 0) {
      const int reason = errno;
      name_.clear();
      errno = reason;
      fail_output(file, "create");
    }
    try {
      write_and_sync(fd, file, text);
    } catch (...) {
      ::unlink(name_.c_str());
      throw;
    }
  }
  ~TemporaryFile() {
    if (!renamed_) ::unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const char* name() const { return name_.c_str(); }
  void rename_to(const std::string& file) {
    if (::rename(name(), file.c_str()) != 0) fail_output(file, "rename to it");
    renamed_ = true;
  }

 private:
  std::string name_;
  bool renamed_ = false;
};

std::string path_in(const std::string& directory, const std::string& name) {
  return (fs::path(directory) / name).string();
}

// nullopt when there is no such file.
std::optional<json> read_json(const std::string& file) {
  FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw bad_input(fmt::format("{}: cannot open: {}", file, std::strerror(errno)));
  }
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw bad_input(fmt::format("{}: cannot read: {}", file, std::strerror(errno)));
    if (n == 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  json value = json::parse(text, nullptr, false);
  if (!value.is_object()) throw bad_input(fmt::format("{}: is not a JSON object", file));
  return value;
}

template <typename T>
T member(const json& object, const char* key, const std::string& file) {
  const auto found = object.find(key);
  if (found == object.end()) throw bad_input(fmt::format("{}: {} is missing", file, key));
  if constexpr (std::is_integral_v<T>) {
    if (!found->is_number_integer() || *found < 0) {
      throw bad_input(fmt::format("{}: {} is {}; a whole number from 0 is needed", file, key, found->dump()));
    }
  } else {
    if (!found->is_string()) throw bad_input(fmt::format("{}: {} is {}; a text is needed", file, key, found->dump()));
  }
  return found->get<T>();
}

struct DigestDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_) throw std::bad_alloc();
    check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  }
  void add(const void* data, size_t bytes) { check(EVP_DigestUpdate(context_.get(), data, bytes)); }
  std::string hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest, &length));
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
  }

 private:
  static void check(int ok) {
    if (ok != 1) throw Error(ExitCode::internal, "OpenSSL cannot compute SHA-256");
  }
  std::unique_ptr<EVP_MD_CTX, DigestDeleter> context_;
};

}  // namespace

void write_file_atomically(const std::string& file, const std::string& text) {
  TemporaryFile temporary(file, text);
  temporary.rename_to(file);
  sync_directory_of(file);
}

void write_completion(const std::string& directory, const Completion& completion) {
  json traces = json::array();
  for (const TraceRecord& trace : completion.traces) {
    traces.push_back({{"file", trace.file},
                      {"steps", trace.steps},
                      {"events", trace.events},
                      {"memory", trace.memory},
                      {"sha256", trace.sha256}});
  }
  const json value = {{"format", 1},
                      {"ranks", completion.ranks},
                      {"steps", completion.steps},
                      {"latents_digest", completion.latents_digest},
                      {"started_at", completion.started_at},
                      {"finished_at", completion.finished_at},
                      {"traces", std::move(traces)}};
  write_file_atomically(path_in(directory, completion_name), value.dump(2) + "\n");
}

void write_failure(const std::string& directory, const Failure& failure) {
  const std::string file = path_in(directory, failure_name);
  const json value = {{"format", 1},
                      {"rank", failure.rank},
                      {"exit_code", failure.exit_code},
                      {"line", failure.line},
                      {"failed_at", failure.failed_at}};
  // A failing library's message may hold any bytes; they must not cost us the record.
  TemporaryFile temporary(file, value.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
  // link() refuses an existing name, also between nodes, which rename() does not.
  if (::link(temporary.name(), file.c_str()) != 0 && errno != EEXIST) {
    if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS && errno != EMLINK) fail_output(file, "create");
    if (::access(file.c_str(), F_OK) == 0) return;
    temporary.rename_to(file);  // no hard links here: a second failure in the same instant may win
  }
  sync_directory_of(file);
}

std::optional<Completion> read_completion(const std::string& directory) {
  const std::string file = path_in(directory, completion_name);
  const std::optional<json> value = read_json(file);
  if (!value) return std::nullopt;
  Completion completion;
  if (const int format = member<int>(*value, "format", file); format != 1) {
    throw bad_input(fmt::format("{}: format is {}; this wansweep reads 1", file, format));
  }
  completion.ranks = member<int>(*value, "ranks", file);
  completion.steps = member<int>(*value, "steps", file);
  completion.latents_digest = member<std::string>(*value, "latents_digest", file);
  completion.started_at = member<std::string>(*value, "started_at", file);
  completion.finished_at = member<std::string>(*value, "finished_at", file);
  const auto traces = value->find("traces");
  if (traces == value->end() || !traces->is_array()) {
    throw bad_input(fmt::format("{}: traces is missing, or is not a list", file));
  }
  for (const json& trace : *traces) {
    if (!trace.is_object()) throw bad_input(fmt::format("{}: traces holds {}, not an object", file, trace.dump()));
    completion.traces.push_back({member<std::string>(trace, "file", file), member<int64_t>(trace, "steps", file),
                                 member<int64_t>(trace, "events", file), member<int64_t>(trace, "memory", file),
                                 member<std::string>(trace, "sha256", file)});
  }
  return completion;
}

std::optional<Failure> read_failure(const std::string& directory) {
  const std::string file = path_in(directory, failure_name);
  const std::optional<json> value = read_json(file);
  if (!value) return std::nullopt;
  Failure failure;
  failure.rank = member<int>(*value, "rank", file);
  failure.exit_code = member<int>(*value, "exit_code", file);
  failure.line = member<std::string>(*value, "line", file);
  failure.failed_at = member<std::string>(*value, "failed_at", file);
  return failure;
}

std::optional<std::string> verify_completion(const std::string& directory, const Completion& completion) {
  if (completion.traces.size() != static_cast<size_t>(completion.ranks)) {
    return fmt::format("{}: names {} traces for {} ranks", path_in(directory, completion_name),
                       completion.traces.size(), completion.ranks);
  }
  for (int rank = 0; rank < completion.ranks; ++rank) {
    const TraceRecord& trace = completion.traces[static_cast<size_t>(rank)];
    if (trace.file != trace_file_name(rank)) {
      return fmt::format("{}: the trace of rank {} is called {}, not {}", path_in(directory, completion_name), rank,
                         trace.file, trace_file_name(rank));
    }
    const std::string file = path_in(directory, trace.file);
    if (::access(file.c_str(), F_OK) != 0) return fmt::format("{}: is not there, but completed.json names it", file);
    try {
      if (const std::string found = sha256_file(file); found != trace.sha256) {
        return fmt::format("{}: its SHA-256 is {}, completed.json says {}", file, found, trace.sha256);
      }
    } catch (const Error& error) {
      return error.what();
    }
  }
  return std::nullopt;
}

std::string sha256(const void* data, size_t bytes) {
  Sha256 digest;
  digest.add(data, bytes);
  return digest.hex();
}

std::string sha256_file(const std::string& file) {
  FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) throw bad_input(fmt::format("{}: cannot open: {}", file, std::strerror(errno)));
  Sha256 digest;
  std::vector<char> buffer(size_t{1} << 20);
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw bad_input(fmt::format("{}: cannot read: {}", file, std::strerror(errno)));
    if (n == 0) return digest.hex();
    digest.add(buffer.data(), static_cast<size_t>(n));
  }
}

std::string timestamp_now() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, now.time_since_epoch().count() % 1000);
}

}  // namespace wansweep
