// The results database as a file: made, opened, and never opened when it is something else.
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
  std::unique_ptr<ReadOnlyAccess> access;  // before `db`, which must be closed first; null: SQLite's own
  SQLite::Database db;
  std::string upgraded_from;  // the copy of an older version that was upgraded just now; empty: none was
};

// Opens or makes it, for the one writer; upgrades an older version after copying it. On a file system known to be local
// its journal is a WAL; elsewhere it is a rollback journal with full syncs, for a WAL needs memory that all its users
// share. Throws bad_input when the file is something else or newer; store_busy when another process holds it; output
// when it cannot be written, or is not ours: a link, a file with a second name, or one that neither we, nor the owner
// of its directory, nor root made could lead what we write elsewhere.
Store open_store(const std::string& path);

// For questions: reads only, whatever the SQL, also where nothing may be written (read_only.h). Throws bad_input when
// there is no such database, or it is of another version.
Store open_store_readonly(const std::string& path);

// Whether reading keeps the writer waiting in no way: with a WAL. With a rollback journal a commit waits for readers.
bool reads_beside_writer(Store& store);

// What SQLite said, as an Error with the exit code that fits.
Error store_error(const std::string& path, const SQLite::Exception& exception);

}  // namespace wansweep
