// What an incomplete download leaves in place of a file: a git-lfs pointer, or a symbolic link into the Hugging Face
// cache whose target does not exist. These functions find out which, for the error message.
#pragma once

#include <string>
#include <string_view>

namespace wansweep {

// Throws bad_input when `text` (the first 64 bytes of the file `name` are enough) is a git-lfs pointer.
void refuse_lfs_pointer(std::string_view text, const std::string& name);

// Whether `file` exists, links followed. True also when the system does not tell: reading the file then says why.
bool is_there(const std::string& file);

// Why `file`, which does not exist, is missing, as the end of a sentence that begins with its name: "does not exist",
// or "is a link to ../../blobs/ab12, which does not exist: ...". Does not throw when the file system fails.
std::string why_missing(const std::string& file);

}  // namespace wansweep
