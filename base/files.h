// Reading and writing files: each file is read or written as a whole or not at all, and records are never written
// through a link that somebody else planted.
//
// A file that does not exist (ENOENT, ENOTDIR) is an answer of its own, nullopt. Every other failure to read throws, so
// that a file that cannot be read is never taken for one that does not exist. Paths may be relative; sizes are in
// bytes. All functions may be called from any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace wansweep {

// Owns one open file descriptor; -1 is none.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { close(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  // Returns what close(2) returned, or 0 when nothing was open. A network file system may report a failed write only
  // here.
  int close();

 private:
  int fd_;
};

// The text of a regular file of at most `most_bytes`; nullopt when there is no such file. Follows links; refuses a
// pipe, a device or a directory, so that no read hangs. Throws bad_input naming the file and the reason.
inline constexpr int64_t most_text_bytes = int64_t{1} << 30;
std::optional<std::string> read_text_if_there(const std::string& file, int64_t most_bytes = most_text_bytes);

// The same, but throws bad_input when there is no such file.
std::string read_text(const std::string& file, int64_t most_bytes = most_text_bytes);

// Writes all of `data` to `fd`, also when signals interrupt the write. Throws Error(output) naming `file`.
void write_all(int fd, const void* data, size_t bytes, const std::string& file);

// Writes `text` to a temporary name beside `file`, syncs it and renames it. A reader sees the old text or the new one.
// A symbolic link called `file` is replaced, not followed. Throws Error(output).
void write_file_atomically(const std::string& file, const std::string& text);

// The same, but returns false and leaves the file alone when it exists already. Of two writers, also on different
// nodes, exactly one succeeds.
bool write_file_once(const std::string& file, const std::string& text);

// Writes `text` to a new file; refuses a name that exists already, also as a link. The file appears whole or not at
// all, also when the disk is full or this process is killed. Does not sync: call sync_file or sync_file_system. Throws
// Error(output).
void write_new_file(const std::string& file, const std::string& text);

// Writes `text` to the place that a person named. A regular or new file is written as by write_file_atomically; a link
// is followed; a pipe, a terminal or a device is written into and never replaced; a name of this process's own standard
// output or error (/dev/stdout) continues that stream. Throws Error(output), also when only the last byte could not be
// written.
enum class OutputKind { file, stream };
OutputKind write_output_file(const std::string& file, const std::string& text);

// Adds `line` and a newline to the end of a regular file; creates the file when there is none. Throws Error(output),
// also when `file` is a link or anything else than a regular file.
void append_line(const std::string& file, const std::string& line);

// Opens a file for reading and writing; creates the file when there is none. Throws Error(output), also when somebody
// else could have planted the name: when it is a symbolic or hard link, or not a regular file.
FileDescriptor open_own_file(const std::string& file, mode_t mode);

// Makes the names in a directory durable. Does nothing on file systems that cannot sync a directory. Throws
// Error(output).
void sync_directory(const std::string& directory);

// Makes the content of a file durable. Throws Error(output).
void sync_file(const std::string& file);

// Makes everything durable that was written to the file system that holds `directory`. With thousands of small files
// this is a hundred times faster than syncing each. Throws Error(output).
void sync_file_system(const std::string& directory);

// Creates the directory and its parents. Throws Error(output).
void make_directories(const std::string& directory);

// Creates a directory that only this user can write to, regardless of the umask and inherited access lists. Throws
// Error(output), also when the name exists already.
void make_own_directory(const std::string& directory);

// Throws Error(output) unless `directory` is as make_own_directory creates it: a directory, not a link, owned by this
// user, and not writable by others.
void check_own_directory(const std::string& directory);

// The text of an error number: "No space left on device".
std::string error_text(int error);

}  // namespace wansweep
