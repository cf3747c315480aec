// Standard error: lines for a person. Nothing here throws, since lines are also printed where an exception would end
// the program: in handlers, destructors and threads. A line that cannot be written (a full disk, a reader that has
// left) is lost; the exit code still says what happened. Any thread may print.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string_view>
#include <utility>

namespace wansweep {

void write_standard_error(std::string_view text) noexcept;

// As fmt::print: print_error("wansweep: {}: upgraded\n", file).
template <class... Values>
void print_error(fmt::format_string<Values...> format, Values&&... values) noexcept {
  try {
    write_standard_error(fmt::format(format, std::forward<Values>(values)...));
  } catch (const std::exception&) {
    write_standard_error("an error line could not be made: there is not enough memory\n");
  }
}

}  // namespace wansweep
