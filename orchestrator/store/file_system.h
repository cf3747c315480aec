// What kind of file system a database lies on: the journal that is safe there depends on it.
#pragma once

#include <cstdint>
#include <string>

namespace wansweep {

enum class FileSystem {
  local,  // one machine's own: its users share memory, so a WAL is safe
  nfs,
  lustre,
  shared,  // GPFS, SMB, FUSE, and all that is not known
};

const char* to_string(FileSystem kind);  // "local", "NFS", ...

// By the number that statfs(2) gives.
FileSystem file_system_of_type(uint32_t type);

// Of the folder that holds `path`, which itself need not be there.
FileSystem file_system_of(const std::string& path);

}  // namespace wansweep
