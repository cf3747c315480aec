// Finds the kind of file system of a database, which decides which journal is safe.
#pragma once

#include <cstdint>
#include <string>

namespace wansweep {

enum class FileSystem {
  local,  // one machine's own: its users share memory, so a WAL is safe
  nfs,
  lustre,
  shared,  // GPFS, SMB, FUSE, and all unknown ones
};

const char* to_string(FileSystem kind);  // "local", "NFS", ...

// The kind for a type number from statfs(2).
FileSystem file_system_of_type(uint32_t type);

// The kind of the file system that holds `path`; the file itself need not exist.
FileSystem file_system_of(const std::string& path);

}  // namespace wansweep
