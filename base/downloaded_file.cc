#include "base/downloaded_file.h"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

void refuse_lfs_pointer(std::string_view text, const std::string& name) {
  if (!text.starts_with("version https://git-lfs")) return;
  throw bad_input(
      fmt::format("{}: is a git-lfs pointer, not the file itself; run `git lfs pull` to fetch the file", name));
}

bool is_there(const std::string& file) {
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::status(file, error).type();
  return type != std::filesystem::file_type::not_found;
}

std::string why_missing(const std::string& file) {
  std::error_code error;
  const std::string target = std::filesystem::read_symlink(file, error).string();
  if (error) return "does not exist";
  return fmt::format("is a link to {}, which does not exist: the download is incomplete; download the model again",
                     target);
}

}  // namespace wansweep
