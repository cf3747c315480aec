// There is one writer, and readers do not wait for it. A file is checked before it is changed: it may be another
// program's database, of a newer version, or a planted link. When the views in the file differ from this program's,
// queries get temporary views, so that answers do not depend on the version that gathered.

#include "orchestrator/store/database.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "orchestrator/store/embedded_sql.h"
#include "orchestrator/store/file_system.h"
#include "orchestrator/store/upgrade.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

// A writer waits for another writer's attempt, which may be a gigabyte; a query waits less.
constexpr int writer_timeout_ms = 60'000;
constexpr int reader_timeout_ms = 5'000;

// The largest value in a query, and the longest pattern of a LIKE.
constexpr int most_value_bytes = 64 << 20;
constexpr int most_pattern_bytes = 1000;

std::string answer(SQLite::Database& db, const std::string& sql) { return db.execAndGet(sql).getString(); }

// The database's version; 0 for a new file. Throws for another program's file and for a newer version.
int version_of(SQLite::Database& db, const std::string& path) {
  const int version = std::stoi(answer(db, "PRAGMA user_version"));
  if (version > store_version()) {
    throw bad_input(fmt::format("{}: has version {}, but this wansweep supports up to {}; use a newer wansweep", path,
                                version, store_version()));
  }
  if (version == 0 && answer(db, "SELECT count(*) FROM sqlite_schema") != "0") {
    throw bad_input(fmt::format("{}: is the database of another program", path));
  }
  return version;
}

// Creates or upgrades tables and views. Other processes may be doing the same.
std::string bring_up_to_date(Store& store) {
  if (version_of(store.db, store.path) == store_version() && has_current_views(store)) return "";
  std::string copy;
  store.db.exec("BEGIN IMMEDIATE");
  try {
    // Read again under the lock.
    const int version = version_of(store.db, store.path);
    if (version == 0) store.db.exec(results_sql);
    if (version > 0 && version < store_version()) copy = upgrade(store, version);
    refresh_views(store);
    store.db.exec("COMMIT");
  } catch (...) {
    sqlite3_exec(store.db.getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  return copy;
}

// PRAGMA journal_mode fails at once when another connection has a new file open, since it does not call the busy
// handler. So it is tried several times.
std::string set_journal(SQLite::Database& db, const std::string& mode) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(writer_timeout_ms);
  for (;;) {
    if (answer(db, "PRAGMA journal_mode") == mode) return mode;
    try {
      return answer(db, "PRAGMA journal_mode = " + mode);
    } catch (const SQLite::Exception& exception) {
      const int code = exception.getErrorCode() & 0xFF;
      if ((code != SQLITE_BUSY && code != SQLITE_LOCKED) || std::chrono::steady_clock::now() > end) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void choose_journal(SQLite::Database& db, const std::string& path) {
  // When SQLite cannot change the mode, it keeps the old one and returns it, so the answers are checked.
  const FileSystem kind = file_system_of(path);
  if (kind == FileSystem::local && set_journal(db, "wal") == "wal") {
    db.exec("PRAGMA synchronous = NORMAL");
    return;
  }
  if (const std::string mode = set_journal(db, "delete"); mode != "delete") {
    throw Error(ExitCode::output, fmt::format("{}: the file system is {}, where only a rollback journal is "
                                              "safe, but the journal mode stays {}",
                                              path, to_string(kind), mode));
  }
  db.exec("PRAGMA synchronous = FULL");
}

// Checks a database before it is written: refuses files by which somebody else could redirect the writing.
void refuse_planted(const std::string& path) {
  struct stat file {
  }, directory{};
  if (::lstat(path.c_str(), &file) != 0) return;  // the file will be created, or opening it gives the error
  if (S_ISDIR(file.st_mode)) throw bad_input(fmt::format("{}: is a directory; a database file is needed", path));
  if (S_ISLNK(file.st_mode)) {
    throw Error(ExitCode::output,
                fmt::format("{}: is a symbolic link, which is not followed for writing; give the database "
                            "itself with --db, or remove the link",
                            path));
  }
  if (!S_ISREG(file.st_mode)) throw Error(ExitCode::output, fmt::format("{}: is not a regular file", path));
  if (file.st_nlink > 1) {
    throw Error(ExitCode::output,
                fmt::format("{}: has {} names (hard links); a database must have only one", path, file.st_nlink));
  }
  const std::string parent = fs::absolute(path).parent_path().string();
  const bool known = ::stat(parent.c_str(), &directory) == 0;
  if (file.st_uid == ::geteuid() || file.st_uid == 0 || (known && file.st_uid == directory.st_uid)) return;
  throw Error(
      ExitCode::output,
      fmt::format(
          "{}: belongs to user {}, who is neither you nor the owner of its directory; the database is not written "
          "to",
          path, file.st_uid));
}

// The same file by a name without links in its folders, which SQLite would refuse with SQLITE_OPEN_NOFOLLOW.
std::string without_links_above(const std::string& path) {
  const fs::path whole = fs::absolute(path);
  std::error_code failed;
  const fs::path parent = fs::canonical(whole.parent_path(), failed);
  return failed ? path : (parent / whole.filename()).string();
}

std::string advice_for(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return "; free some space and gather again: earlier data is kept";
    case SQLITE_IOERR:
      return "; the disk may be full, a quota exceeded, or a server down: gather again when that is fixed";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return "; the file and its directory must be writable";
    default:
      return "";
  }
}

}  // namespace

bool reads_beside_writer(Store& store) { return answer(store.db, "PRAGMA journal_mode") == "wal"; }

Error store_error(const std::string& path, const SQLite::Exception& exception) {
  const int code = exception.getErrorCode() & 0xFF;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return {ExitCode::store_busy,
            fmt::format("{}: another process has locked the database; try again when it has finished", path)};
  }
  if (code == SQLITE_NOTADB) return bad_input(fmt::format("{}: is not a SQLite database", path));
  if (code == SQLITE_CORRUPT) {
    return bad_input(fmt::format("{}: is damaged ({}); move it away and gather again", path, exception.what()));
  }
  if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_READONLY || code == SQLITE_CANTOPEN) {
    return {ExitCode::output, fmt::format("{}: {}{}", path, exception.what(), advice_for(code))};
  }
  return {ExitCode::internal, fmt::format("{}: {}", path, exception.what())};
}

Store open_store(const std::string& path) try {
  refuse_planted(path);
  Store store{
      path, nullptr,
      SQLite::Database(without_links_above(path),
                       SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                       writer_timeout_ms),
      ""};
  store.db.exec("PRAGMA foreign_keys = ON");
  version_of(store.db, path);  // throws before a foreign file is changed
  choose_journal(store.db, path);
  store.upgraded_from = bring_up_to_date(store);
  return store;
} catch (const SQLite::Exception& exception) {
  throw store_error(path, exception);
}

Store open_store_readonly(const std::string& path) try {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) throw bad_input(fmt::format("{}: {}", path, error_text(errno)));
    throw bad_input(fmt::format("{}: no such database; create it with `wansweep gather`", path));
  }
  if (S_ISDIR(status.st_mode)) throw bad_input(fmt::format("{}: is a directory; a database file is needed", path));
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", path));
  OpenedReadOnly opened = open_read_only(path, reader_timeout_ms);
  Store store{path, std::move(opened.access), std::move(opened.db), ""};
  const int version = version_of(store.db, path);
  if (version == 0) throw bad_input(fmt::format("{}: is empty; fill it with `wansweep gather`", path));
  if (version < store_version()) {
    throw bad_input(
        fmt::format("{}: has version {}, but this wansweep needs version {}; upgrade it with `wansweep gather`", path,
                    version, store_version()));
  }
  shadow_views(store);
  store.db.exec("PRAGMA query_only = ON");
  store.db.exec("PRAGMA trusted_schema = OFF");
  sqlite3_db_config(store.db.getHandle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Limits the data of a single function call, which no timeout can interrupt.
  sqlite3_limit(store.db.getHandle(), SQLITE_LIMIT_LENGTH, most_value_bytes);
  sqlite3_limit(store.db.getHandle(), SQLITE_LIMIT_LIKE_PATTERN_LENGTH, most_pattern_bytes);
  return store;
} catch (const SQLite::Exception& exception) {
  throw store_error(path, exception);
}

}  // namespace wansweep
