#include "base/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"

namespace wansweep {

TemporaryFolder::TemporaryFolder() {
  std::error_code failed;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(failed);
  if (failed) throw Error(ExitCode::output, fmt::format("TMPDIR does not name a directory: {}", failed.message()));
  path_ = (parent / "wansweep-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) {
    throw Error(ExitCode::output, fmt::format("{}: directory cannot be created: {}", path_, error_text(errno)));
  }
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace wansweep
