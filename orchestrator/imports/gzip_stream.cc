#include "orchestrator/imports/gzip_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/files.h"

namespace wansweep {

struct GzipStream::Handle {
  gzFile file = nullptr;
};

GzipStream::GzipStream(std::string file)
    : file_(std::move(file)), handle_(std::make_unique<Handle>()), buffer_(size_t{1} << 16) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  FileDescriptor fd(::open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) throw bad_input(fmt::format("{}: {}", file_, error_text(errno)));
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", file_));
  handle_->file = gzdopen(fd.get(), "rb");
  if (handle_->file == nullptr) throw Error(ExitCode::host_memory, fmt::format("{}: no memory to unpack it", file_));
  fd.release();
  gzbuffer(handle_->file, 1U << 16);
}

GzipStream::~GzipStream() {
  if (handle_->file != nullptr) gzclose(handle_->file);
}

GzipStream::int_type GzipStream::underflow() {
  const int count = gzread(handle_->file, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int code = Z_OK;
  const char* message = gzerror(handle_->file, &code);
  // For a file that ends within a gzip member, zlib returns the data before the end and reports the fault only here.
  if (count < static_cast<int>(buffer_.size()) && code == Z_BUF_ERROR) {
    throw bad_input(fmt::format("{}: is cut short: the gzip data ends after {} unpacked bytes", file_,
                                unpacked_ + std::max(count, 0)));
  }
  if (count < 0) throw bad_input(fmt::format("{}: cannot be unpacked: {}", file_, message));
  if (count == 0) return traits_type::eof();
  unpacked_ += count;
  setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
  return traits_type::to_int_type(buffer_.front());
}

}  // namespace wansweep
