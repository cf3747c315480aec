#include "base/share_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "base/process.h"

namespace wansweep {

namespace fs = std::filesystem;

std::string share_folder() {
  std::error_code failed;
  if (const char* named = std::getenv("WANSWEEP_SHARE"); named != nullptr && *named != '\0') {
    if (!fs::is_directory(named, failed)) {
      throw bad_input(
          fmt::format("WANSWEEP_SHARE is {}, which is not a folder; set it to share/wansweep of an "
                      "installation, or leave it unset",
                      named));
    }
    return named;
  }
  const fs::path program = this_program();
  const fs::path installed = program.parent_path().parent_path() / "share" / "wansweep";
  return !program.empty() && fs::is_directory(installed, failed) ? installed.string() : WANSWEEP_SOURCE_TREE;
}

}  // namespace wansweep
