// Every write ends with fsync and a checked close, because a full disk, an exceeded quota and a network file system
// that lost its server may report only there; a rerun relies on records that are really on disk.

#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <random>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_output(const std::string& file, const char* what, int error) {
  throw Error(ExitCode::output, fmt::format("{}: cannot {}: {}", file, what, error_text(error)));
}

bool says_absent(int error) { return error == ENOENT || error == ENOTDIR; }

// Reads to the end of the file. Throws bad_input when it has more than `most` bytes.
std::string read_to_end(int fd, const std::string& file, int64_t most) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw bad_input(fmt::format("{}: cannot be read: {}", file, error_text(errno)));
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
    if (static_cast<int64_t>(text.size()) > most) {
      throw bad_input(
          fmt::format("{}: is larger than {} bytes, the most that wansweep reads of such a file", file, most));
    }
  }
}

std::string parent_of(const std::string& file) {
  const std::string parent = fs::path(file).parent_path().string();
  return parent.empty() ? "." : parent;
}

enum class Durable { yes, no };

// A file that holds `text`, under a name that no other process on any node picks. The destructor removes the file
// unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& file, const std::string& text, Durable durable) {
    std::random_device random;
    name_ = fmt::format("{}.{}-{:08x}{:08x}.tmp", file, ::getpid(), random(), random());
    FileDescriptor fd(::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!fd) fail_output(file, "create", errno);
    try {
      write_all(fd.get(), text.data(), text.size(), file);
      if (durable == Durable::yes && ::fsync(fd.get()) != 0) fail_output(file, "sync", errno);
      if (fd.close() != 0) fail_output(file, "write", errno);
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
  // Returns false when something of that name exists already.
  bool appear_as(const std::string& file) {
    // link() refuses an existing name, also between nodes, which rename() does not.
    if (::link(name(), file.c_str()) == 0) return true;
    const int error = errno;
    if (error == EEXIST) return false;
    if (error != EPERM && error != ENOTSUP && error != ENOSYS && error != EMLINK) fail_output(file, "create", error);
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0) return false;
    rename_to(file);  // this file system has no hard links: when two writers get here at once, the second may win
    return true;
  }
  void rename_to(const std::string& file) {
    if (::rename(name(), file.c_str()) != 0) fail_output(file, "rename the temporary file to this name", errno);
    renamed_ = true;
  }

 private:
  std::string name_;
  bool renamed_ = false;
};

}  // namespace

int FileDescriptor::close() { return fd_ >= 0 ? ::close(release()) : 0; }

std::string error_text(int error) { return std::generic_category().message(error); }

std::optional<std::string> read_text_if_there(const std::string& file, int64_t most_bytes) {
  // Without O_NONBLOCK, opening a pipe that has no writer would wait for one.
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) {
    if (says_absent(errno)) return std::nullopt;
    throw bad_input(fmt::format("{}: cannot be read: {}", file, error_text(errno)));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw bad_input(fmt::format("{}: cannot be read: {}", file, error_text(errno)));
  if (S_ISDIR(status.st_mode)) throw bad_input(fmt::format("{}: is a directory; a file is needed", file));
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", file));
  return read_to_end(fd.get(), file, most_bytes);
}

std::string read_text(const std::string& file, int64_t most_bytes) {
  std::optional<std::string> text = read_text_if_there(file, most_bytes);
  if (!text) throw bad_input(fmt::format("{}: cannot be read: no such file", file));
  return *std::move(text);
}

void write_all(int fd, const void* data, size_t bytes, const std::string& file) {
  for (const char* at = static_cast<const char*>(data); bytes > 0;) {
    const ssize_t written = ::write(fd, at, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_output(file, "write", errno);
    at += written;
    bytes -= static_cast<size_t>(written);
  }
}

void write_file_atomically(const std::string& file, const std::string& text) {
  TemporaryFile temporary(file, text, Durable::yes);
  temporary.rename_to(file);
  sync_directory(parent_of(file));
}

bool write_file_once(const std::string& file, const std::string& text) {
  TemporaryFile temporary(file, text, Durable::yes);
  if (!temporary.appear_as(file)) return false;
  sync_directory(parent_of(file));
  return true;
}

void write_new_file(const std::string& file, const std::string& text) {
  TemporaryFile temporary(file, text, Durable::no);
  if (!temporary.appear_as(file)) fail_output(file, "create", EEXIST);
}

OutputKind write_output_file(const std::string& file, const std::string& text) {
  struct stat status {};
  const bool there = ::stat(file.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode)) {
    throw Error(ExitCode::output, fmt::format("{}: is a directory; a file is needed", file));
  }
  if (there) {
    for (const int own : {STDOUT_FILENO, STDERR_FILENO}) {
      struct stat stream {};
      if (::fstat(own, &stream) != 0 || stream.st_dev != status.st_dev || stream.st_ino != status.st_ino) continue;
      std::fflush(own == STDOUT_FILENO ? stdout : stderr);
      write_all(own, text.data(), text.size(), file);
      return OutputKind::stream;
    }
  }
  const bool regular = there && S_ISREG(status.st_mode);
  if (regular || (!there && ::lstat(file.c_str(), &status) != 0)) {
    std::error_code failed;
    const fs::path target = regular ? fs::canonical(file, failed) : fs::path(file);
    if (failed) throw Error(ExitCode::output, fmt::format("{}: cannot be found: {}", file, failed.message()));
    // The user may have the right to write this file, but not to create the temporary file beside it.
    if (!regular || ::access(parent_of(target.string()).c_str(), W_OK) == 0) {
      write_file_atomically(target.string(), text);
      return OutputKind::file;
    }
  }
  // A pipe, a device, a link whose target does not exist yet, or a file in a directory that this user cannot write.
  FileDescriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666));
  if (!fd) fail_output(file, "open", errno);
  write_all(fd.get(), text.data(), text.size(), file);
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) fail_output(file, "sync", errno);
  const bool stream = ::fstat(fd.get(), &status) == 0 && !S_ISREG(status.st_mode);
  if (fd.close() != 0) fail_output(file, "write", errno);
  return stream ? OutputKind::stream : OutputKind::file;
}

void append_line(const std::string& file, const std::string& line) {
  const FileDescriptor fd = open_own_file(file, 0666);
  if (::lseek(fd.get(), 0, SEEK_END) < 0) fail_output(file, "write", errno);
  const std::string text = line + '\n';
  write_all(fd.get(), text.data(), text.size(), file);
}

FileDescriptor open_own_file(const std::string& file, mode_t mode) {
  FileDescriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode));
  if (!fd) {
    if (errno == ELOOP)
      throw Error(ExitCode::output, fmt::format("{}: is a symbolic link; a regular file is needed", file));
    fail_output(file, "open", errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) fail_output(file, "open", errno);
  if (!S_ISREG(status.st_mode)) throw Error(ExitCode::output, fmt::format("{}: is not a regular file", file));
  if (status.st_nlink > 1) {
    throw Error(ExitCode::output, fmt::format("{}: is a hard link of a file that may belong to somebody else; remove "
                                              "this name",
                                              file));
  }
  return fd;
}

void sync_directory(const std::string& directory) {
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) fail_output(directory, "open", errno);
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP) fail_output(directory, "sync", errno);
}

void sync_file(const std::string& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) fail_output(file, "open", errno);
  if (::fsync(fd.get()) != 0) fail_output(file, "sync", errno);
}

void sync_file_system(const std::string& directory) {
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) fail_output(directory, "open", errno);
  if (::syncfs(fd.get()) != 0) fail_output(directory, "sync", errno);
}

void make_own_directory(const std::string& directory) {
  // The mode's group bits mask an inherited access list.
  if (::mkdir(directory.c_str(), 0755) != 0) fail_output(directory, "create this directory", errno);
}

void check_own_directory(const std::string& directory) {
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0) fail_output(directory, "read its attributes", errno);
  const char* problem = nullptr;
  if (!S_ISDIR(status.st_mode)) {
    problem = S_ISLNK(status.st_mode) ? "is a symbolic link, not a directory" : "is not a directory";
  } else if (status.st_uid != ::geteuid()) {
    problem = "belongs to another user";
  } else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    problem = "can be written by others";
  }
  if (problem == nullptr) return;
  throw Error(ExitCode::output,
              fmt::format("{}: {}; others could put files there that run with this user's rights", directory, problem));
}

void make_directories(const std::string& directory) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) {
    throw Error(ExitCode::output, fmt::format("{}: directory cannot be created: {}", directory, failed.message()));
  }
}

}  // namespace wansweep
