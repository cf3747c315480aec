#include "orchestrator/store/database.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "orchestrator/store/embedded_sql.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

constexpr int busy_timeout_ms = 5000;

// File systems of one machine, by statfs(2) number: ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS, bcachefs. All others
// (NFS, Lustre, GPFS, SMB, FUSE, what is still to come) are taken for shared ones.
constexpr std::array<uint32_t, 8> local_file_systems{0xEF53,     0x58465342, 0x9123683E, 0x01021994,
                                                     0x794C7630, 0x2FC12FC1, 0xF2F52010, 0xCA451A4E};

bool is_on_local_file_system(const std::string& path) {
  const fs::path parent = fs::absolute(path).parent_path();
  struct statfs status {};
  if (::statfs(parent.c_str(), &status) != 0) return false;
  const auto type = static_cast<uint32_t>(status.f_type);
  return std::find(local_file_systems.begin(), local_file_systems.end(), type) != local_file_systems.end();
}

std::string answer(SQLite::Database& db, const std::string& sql) { return db.execAndGet(sql).getString(); }

// Empty: a new file. Otherwise it is ours, and not newer than this program.
bool is_empty(SQLite::Database& db, const std::string& path) {
  const int version = std::stoi(answer(db, "PRAGMA user_version"));
  if (version > store_version) {
    throw bad_input(
        fmt::format("{}: has version {}; this wansweep knows {}: use a newer wansweep", path, version, store_version));
  }
  const bool has_tables = answer(db, "SELECT count(*) FROM sqlite_schema") != "0";
  if (version == 0 && has_tables) {
    throw bad_input(fmt::format("{}: is another program's database, not results of wansweep", path));
  }
  return version == 0;
}

void choose_journal(SQLite::Database& db, const std::string& path) {
  if (is_on_local_file_system(path) && answer(db, "PRAGMA journal_mode = WAL") == "wal") {
    db.exec("PRAGMA synchronous = NORMAL");
    return;
  }
  if (const std::string mode = answer(db, "PRAGMA journal_mode = DELETE"); mode != "delete") {
    throw Error(ExitCode::output, fmt::format("{}: is on a shared file system, but its journal stays {}", path, mode));
  }
  db.exec("PRAGMA synchronous = FULL");
}

}  // namespace

Error store_error(const std::string& path, const SQLite::Exception& exception) {
  const int code = exception.getErrorCode() & 0xFF;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return {ExitCode::store_busy,
            fmt::format("{}: another process holds the database; try again when it is done", path)};
  }
  if (code == SQLITE_NOTADB) return bad_input(fmt::format("{}: is not a SQLite database", path));
  if (code == SQLITE_CORRUPT) {
    return bad_input(fmt::format("{}: is damaged ({}); move it away and gather again", path, exception.what()));
  }
  if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_READONLY || code == SQLITE_CANTOPEN) {
    return {ExitCode::output, fmt::format("{}: {}", path, exception.what())};
  }
  return {ExitCode::internal, fmt::format("{}: {}", path, exception.what())};
}

Store open_store(const std::string& path) try {
  if (fs::is_directory(path)) throw bad_input(fmt::format("{}: is a directory; a database file is needed", path));
  Store store{path, SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
                                     busy_timeout_ms)};
  store.db.exec("PRAGMA foreign_keys = ON");
  is_empty(store.db, path);  // refuses before anything of a foreign file is changed
  choose_journal(store.db, path);
  store.db.exec("BEGIN IMMEDIATE");
  try {
    // Asked again under the lock: another process may have made the tables just now.
    if (is_empty(store.db, path)) store.db.exec(results_sql);
    store.db.exec("COMMIT");
  } catch (...) {
    sqlite3_exec(store.db.getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  return store;
} catch (const SQLite::Exception& exception) {
  throw store_error(path, exception);
}

Store open_store_readonly(const std::string& path) try {
  if (!fs::exists(path)) throw bad_input(fmt::format("{}: no such database; `wansweep gather` makes it", path));
  if (fs::is_directory(path)) throw bad_input(fmt::format("{}: is a directory; a database file is needed", path));
  Store store{path, SQLite::Database(path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, busy_timeout_ms)};
  if (is_empty(store.db, path)) throw bad_input(fmt::format("{}: is empty; `wansweep gather` fills it", path));
  store.db.exec("PRAGMA query_only = ON");
  store.db.exec("PRAGMA trusted_schema = OFF");
  sqlite3_db_config(store.db.getHandle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  return store;
} catch (const SQLite::Exception& exception) {
  throw store_error(path, exception);
}

}  // namespace wansweep
