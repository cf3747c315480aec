// A fuzz target is one function over bytes, as libFuzzer calls it. It accepts the input, or throws an Error other than
// an internal one; anything else is a defect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace wansweep::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Bad input ends with one line and a code that says so.
template <typename F>
void accept_or_refuse(F read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string_view line = error.what();
    if (error.code() != ExitCode::internal && !line.empty()) return;
    std::fprintf(stderr, "an internal error for bad input: %s\n", error.what());
    std::abort();
  }
}

// The path of a file with these bytes, in a directory of this process, on a memory file system where there is one.
std::string scratch_directory();
std::string write_scratch(const std::string& name, std::string_view bytes);

}  // namespace wansweep::fuzz
