// What stands in a downloaded directory where a file should be, when its download did not bring it: a pointer of
// git-lfs, or a link into the hub's cache that leads nowhere. For the one line that says so.
#pragma once

#include <string>
#include <string_view>

namespace wansweep {

// Throws bad_input when `text`, or its first 64 bytes, are a pointer of git-lfs in place of the file `name`.
void refuse_lfs_pointer(std::string_view text, const std::string& name);

// Whether something is under that name, links followed. Also true when that cannot be found out: reading it says why.
bool is_there(const std::string& file);

// What is wrong with the name of a file that is not there, to be read behind it: "is not there", or "is a link to
// ../../blobs/ab12, which is not there: ...". Never throws for what the file system says.
std::string why_missing(const std::string& file);

}  // namespace wansweep
