// A database that this process may read and no more: one of a colleague, or on a mount without writing.
//
// SQLite needs files beside a database with a write-ahead log, and cannot make them there. Where nobody writes, the
// file is complete in itself and is read as it lies; where a log or a journal lies beside it, database and log are
// copied to a temporary folder and read there.
#pragma once

#include <SQLiteCpp/Database.h>

#include <memory>
#include <string>

namespace wansweep {

// How a database is read; it must live as long as the connection.
class ReadOnlyAccess {
 public:
  virtual ~ReadOnlyAccess() = default;
  // Throws Error(store_busy) when the database was written to since it was opened, so that what was read may be of two
  // states; nothing, where that cannot be.
  virtual void check_unchanged() const {}
};

struct OpenedReadOnly {
  SQLite::Database db;
  std::unique_ptr<ReadOnlyAccess> access;  // null: SQLite's own locks are at work
};

// Throws SQLite::Exception, or Error(output) when there is no room for a copy.
OpenedReadOnly open_read_only(const std::string& path, int timeout_ms);

}  // namespace wansweep
