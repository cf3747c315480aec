// Words of a shell's command line, for scripts that wansweep writes and commands that it suggests.
#pragma once

#include <string>

namespace wansweep {

// `text` as one word of a POSIX shell, whatever it holds (but NUL): 'it'\''s'.
std::string shell_quote(const std::string& text);

// The same, but left as it is where a shell reads it so: out/demo, but 'a b/demo'. For commands that people copy.
std::string shell_word(const std::string& text);

}  // namespace wansweep
