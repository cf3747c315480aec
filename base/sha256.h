// SHA-256 by OpenSSL, as 64 hex digits.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace wansweep {

// A digest computed piece by piece. Throws Error(internal) when OpenSSL cannot compute it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(const void* data, size_t bytes);
  std::string hex();  // to be called once, after the last add()

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256(const void* data, size_t bytes);
std::string sha256(std::string_view text);

// The digest of a regular file's content. Throws bad_input when the file cannot be read.
std::string sha256_file(const std::string& file);

}  // namespace wansweep
