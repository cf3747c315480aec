// Text of others (file names, Slurm's reasons, a worker's last words) made safe to print.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wansweep {

// `text` with everything that a terminal would act on, and everything that is no character, written out:
//   \n \r \t \e     newline, carriage return, tab and escape
//   \x07            other control characters (also DEL), and each byte that is not part of valid UTF-8
//   \u{202e}        control characters beyond ASCII: C1, line separators, and marks that change the direction of text
// All other UTF-8 stays as it is, backslashes too. The result is one line of valid UTF-8.
std::string printable(std::string_view text);

// Characters of valid UTF-8, as a column of text counts them: "größe" has 5.
size_t count_characters(std::string_view text);

}  // namespace wansweep
