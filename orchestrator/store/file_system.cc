#include "orchestrator/store/file_system.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace wansweep {
namespace {

// ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS, bcachefs.
constexpr std::array<uint32_t, 8> local_types{0xEF53,     0x58465342, 0x9123683E, 0x01021994,
                                              0x794C7630, 0x2FC12FC1, 0xF2F52010, 0xCA451A4E};
constexpr uint32_t nfs_type = 0x6969;
constexpr uint32_t lustre_type = 0x0BD00BD0;

}  // namespace

const char* to_string(FileSystem kind) {
  switch (kind) {
    case FileSystem::local:
      return "local";
    case FileSystem::nfs:
      return "NFS";
    case FileSystem::lustre:
      return "Lustre";
    case FileSystem::shared:
      break;
  }
  return "shared or unknown";
}

FileSystem file_system_of_type(uint32_t type) {
  if (type == nfs_type) return FileSystem::nfs;
  if (type == lustre_type) return FileSystem::lustre;
  return std::find(local_types.begin(), local_types.end(), type) != local_types.end() ? FileSystem::local
                                                                                      : FileSystem::shared;
}

FileSystem file_system_of(const std::string& path) {
  const auto parent = std::filesystem::absolute(path).parent_path();
  struct statfs status {};
  if (::statfs(parent.c_str(), &status) != 0) return FileSystem::shared;
  return file_system_of_type(static_cast<uint32_t>(status.f_type));
}

}  // namespace wansweep
