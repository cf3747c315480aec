// Creates and opens the results database, and refuses files that are something else.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "orchestrator/store/read_only.h"

namespace wansweep {

struct Store {
  std::string path;
  std::unique_ptr<ReadOnlyAccess> access;  // declared before `db`, which must be closed first; null: SQLite's own
  SQLite::Database db;
  std::string upgraded_from;  // the copy of the older version, if opening has upgraded the database; else empty
};

// Opens or creates the database for writing; upgrades an older version after copying it. On a local file system the
// journal is a WAL; elsewhere it is a rollback journal with full syncs, because a WAL needs memory that all its users
// share. Throws bad_input when the file is something else or newer; store_busy when another process has locked it;
// output when it cannot be written, or is not safe to write: a link, a file with a second name, or a file that belongs
// to neither this user, nor the owner of its directory, nor root.
Store open_store(const std::string& path);

// Opens the database for queries, read-only for any SQL, also where this process may not write (read_only.h). Throws
// bad_input when there is no such database, or it has another version.
Store open_store_readonly(const std::string& path);

// Whether readers never make the writer wait: true with a WAL; with a rollback journal, a commit waits for readers.
bool reads_beside_writer(Store& store);

// Converts an exception of SQLite to an Error with a suitable exit code.
Error store_error(const std::string& path, const SQLite::Exception& exception);

}  // namespace wansweep
