// Quotes words for a shell's command line: in scripts that wansweep writes and in commands that it suggests.
#pragma once

#include <string>

namespace wansweep {

// `text`, which must not hold NUL, as one quoted word of a POSIX shell: 'it'\''s'.
std::string shell_quote(const std::string& text);

// The same, but unquoted when no quotes are needed: out/demo, but 'a b/demo'. For commands that people copy.
std::string shell_word(const std::string& text);

}  // namespace wansweep
