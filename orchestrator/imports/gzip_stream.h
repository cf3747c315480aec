// Reads a file as a stream of text, and unpacks gzip on the way, so that a trace of gigabytes takes 64 KiB of memory.
#pragma once

#include <cstdint>
#include <memory>
#include <streambuf>
#include <string>
#include <vector>

namespace wansweep {

class GzipStream : public std::streambuf {
 public:
  // Throws bad_input when the file is not a regular file or cannot be opened.
  explicit GzipStream(std::string file);
  ~GzipStream() override;
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  int64_t unpacked_bytes() const { return unpacked_; }  // bytes read so far, after unpacking

 protected:
  // Throws bad_input: "FILE: is cut short ...", or that it cannot be read or unpacked.
  int_type underflow() override;

 private:
  struct Handle;
  std::string file_;
  std::unique_ptr<Handle> handle_;
  std::vector<char> buffer_;
  int64_t unpacked_ = 0;
};

}  // namespace wansweep
