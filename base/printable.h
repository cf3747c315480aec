// Makes text from outside (file names, Slurm's reasons, a worker's last line) safe to print on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wansweep {

// `text` with control characters and invalid bytes escaped:
//   \n \r \t \e     newline, carriage return, tab and escape
//   \x07            other control characters (also DEL), and each byte that is not part of valid UTF-8
//   \u{202e}        control characters beyond ASCII: C1, line separators, and marks that change the direction of text
// All other UTF-8 stays as it is, backslashes included. The result is one line of valid UTF-8.
std::string printable(std::string_view text);

// The number of characters in valid UTF-8, as the width of a column counts them: "größe" has 5.
size_t count_characters(std::string_view text);

}  // namespace wansweep
