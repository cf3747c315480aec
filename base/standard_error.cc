#include "base/standard_error.h"

#include <cstdio>

namespace wansweep {

void write_standard_error(std::string_view text) noexcept {
  // stdio does not buffer standard error, so the text is one write, and lines of several ranks do not mix. The result
  // is not looked at: there is no other place to say that this one is lost.
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace wansweep
