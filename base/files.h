// Files as wansweep needs them: read whole or not at all, written whole or not at all, and never through a link that
// somebody else planted.
//
// "Not there" is an answer of its own (nullopt): only ENOENT and ENOTDIR mean it. Every other failure to read is an
// Error, so that what cannot be read is never taken for what does not exist. All functions may be called from any
// thread.
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
  // What close(2) returned, 0 when nothing was open: network file systems report a failed write here at the latest.
  int close();

 private:
  int fd_;
};

// The whole of a regular file, of at most `most_bytes`. Links are followed; a pipe, a device or a directory is refused,
// so that no read hangs. nullopt: there is no such file. Throws bad_input naming the file and the reason.
inline constexpr int64_t most_text_bytes = int64_t{1} << 30;
std::optional<std::string> read_text_if_there(const std::string& file, int64_t most_bytes = most_text_bytes);

// The same; a file that is not there is bad_input too.
std::string read_text(const std::string& file, int64_t most_bytes = most_text_bytes);

// All of `data` into `fd`, whatever interrupts it. Throws Error(output) naming `file`.
void write_all(int fd, const void* data, size_t bytes, const std::string& file);

// Text into `file` through a temporary name beside it, fsync and rename. A reader sees the old text or the new one. A
// symbolic link of that name is replaced, not followed. Throws Error(output).
void write_file_atomically(const std::string& file, const std::string& text);

// The same, but a file that is there already stays: false then. Of two writers, on whatever nodes, one succeeds.
bool write_file_once(const std::string& file, const std::string& text);

// Text into a file that is not there yet; one that is, be it as a link, is refused. It appears whole or not at all,
// also when the disk is full or this process is killed. Not synced: sync_file and sync_file_system are for that. Throws
// Error(output).
void write_new_file(const std::string& file, const std::string& text);

// Text into whatever a person named as the place for it. A regular file, or one that is not there yet, gets it as
// write_file_atomically writes; a link is followed to what it means; a pipe, a terminal or a device is written into and
// never replaced; and what is this process's own standard output or error, by whatever name (/dev/stdout), is
// continued. Throws Error(output), also when the last byte could not be written.
enum class OutputKind { file, stream };
OutputKind write_output_file(const std::string& file, const std::string& text);

// Adds `line` and a newline to the end of a regular file, which is made when it is not there. Refuses to follow a link
// or to write into anything else: Error(output).
void append_line(const std::string& file, const std::string& line);

// Opens a file for reading and writing, makes it when it is not there, and refuses what another could have planted: a
// symbolic or hard link, or anything but a regular file. Throws Error(output).
FileDescriptor open_own_file(const std::string& file, mode_t mode);

// Makes names in a directory durable. Some file systems cannot sync one, which is no failure. Throws Error(output).
void sync_directory(const std::string& directory);

// Makes a file's text durable. Throws Error(output).
void sync_file(const std::string& file);

// Makes all durable that was written to the file system which holds `directory`: for thousands of small files, one sync
// of each costs a hundred times more. Throws Error(output).
void sync_file_system(const std::string& directory);

// Makes the directory and its parents. Throws Error(output).
void make_directories(const std::string& directory);

// Makes one directory into which only this user can write, whatever the umask and inherited access lists say. One that
// is there already, be it as a link, is refused. Throws Error(output).
void make_own_directory(const std::string& directory);

// Throws Error(output) unless `directory` still is what make_own_directory made: no link, this user's, closed to the
// writes of others.
void check_own_directory(const std::string& directory);

// An error number as text, in the calling thread's own words: "No space left on device".
std::string error_text(int error);

}  // namespace wansweep
