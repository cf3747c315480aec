// Reads a database that this process cannot write: a colleague's, or one on a read-only mount.
//
// SQLite needs files beside a database with a write-ahead log, and cannot create them there. When nobody writes, the
// file is complete and is read in place; when a log or a journal lies beside it, both are copied to a temporary folder
// and read there.
#pragma once

#include <SQLiteCpp/Database.h>

#include <memory>
#include <string>

namespace wansweep {

// The way in which a database is read. It must live as long as the connection.
class ReadOnlyAccess {
 public:
  virtual ~ReadOnlyAccess() = default;
  // Throws Error(store_busy) when the database was written since it was opened, so that the data read may be
  // inconsistent.
  virtual void check_unchanged() const {}
};

struct OpenedReadOnly {
  SQLite::Database db;
  std::unique_ptr<ReadOnlyAccess> access;  // null: SQLite's own locks are at work
};

// Throws SQLite::Exception, or Error(output) when there is no room for a copy.
OpenedReadOnly open_read_only(const std::string& path, int timeout_ms);

}  // namespace wansweep
