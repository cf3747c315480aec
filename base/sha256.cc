#include "base/sha256.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <new>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"

namespace wansweep {
namespace {

void check(int ok) {
  if (ok != 1) throw Error(ExitCode::internal, "OpenSSL cannot compute SHA-256");
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (context_->evp == nullptr) throw std::bad_alloc();
  check(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::add(const void* data, size_t bytes) { check(EVP_DigestUpdate(context_->evp, data, bytes)); }

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  check(EVP_DigestFinal_ex(context_->evp, digest.data(), &length));
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256(const void* data, size_t bytes) {
  Sha256 digest;
  digest.add(data, bytes);
  return digest.hex();
}

std::string sha256(std::string_view text) { return sha256(text.data(), text.size()); }

std::string sha256_file(const std::string& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) throw bad_input(fmt::format("{}: cannot open: {}", file, error_text(errno)));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw bad_input(fmt::format("{}: cannot be read: {}", file, error_text(errno)));
  if (!S_ISREG(status.st_mode)) {
    throw bad_input(fmt::format("{}: is not a regular file", file));
  }
  Sha256 digest;
  std::vector<char> buffer(size_t{1} << 20);
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw bad_input(fmt::format("{}: cannot be read: {}", file, error_text(errno)));
    if (got == 0) return digest.hex();
    digest.add(buffer.data(), static_cast<size_t>(got));
  }
}

}  // namespace wansweep
