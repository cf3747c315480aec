// One writer, and readers that do not wait for it. What a file is, is asked before anything of it is changed: another
// program's database, a newer version, a planted link. Questions get views of this program's own where those in the
// file differ, so that an older gather does not change an answer.

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

// A writer waits for another's attempt, which may be a gigabyte; a question is not worth that long.
constexpr int writer_timeout_ms = 60'000;
constexpr int reader_timeout_ms = 5'000;

// Of a value in a query, and of a LIKE's pattern.
constexpr int most_value_bytes = 64 << 20;
constexpr int most_pattern_bytes = 1000;

std::string answer(SQLite::Database& db, const std::string& sql) { return db.execAndGet(sql).getString(); }

// 0: a new file. Otherwise it is ours, and not newer than this program.
int version_of(SQLite::Database& db, const std::string& path) {
  const int version = std::stoi(answer(db, "PRAGMA user_version"));
  if (version > store_version()) {
    throw bad_input(fmt::format("{}: has version {}; this wansweep knows {}: use a newer wansweep", path, version,
                                store_version()));
  }
  if (version == 0 && answer(db, "SELECT count(*) FROM sqlite_schema") != "0") {
    throw bad_input(fmt::format("{}: is another program's database, not results of wansweep", path));
  }
  return version;
}

// Tables and views as this program has them, whatever was there before. Other processes may be doing the same.
std::string bring_up_to_date(Store& store) {
  if (version_of(store.db, store.path) == store_version() && has_current_views(store)) return "";
  std::string copy;
  store.db.exec("BEGIN IMMEDIATE");
  try {
    // Asked again under the lock.
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

// PRAGMA journal_mode gives up at once where another connection is open on a new file, whatever the timeout: the busy
// handler is not asked. Hence the tries.
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
  // SQLite keeps the mode that it has where it cannot change it, and says so: hence the answers are looked at.
  const FileSystem kind = file_system_of(path);
  if (kind == FileSystem::local && set_journal(db, "wal") == "wal") {
    db.exec("PRAGMA synchronous = NORMAL");
    return;
  }
  if (const std::string mode = set_journal(db, "delete"); mode != "delete") {
    throw Error(ExitCode::output, fmt::format("{}: lies on a file system that is {}, where only a rollback journal is "
                                              "safe, but its journal stays {}",
                                              path, to_string(kind), mode));
  }
  db.exec("PRAGMA synchronous = FULL");
}

// Of a database that is about to be written: nothing through which another could have us write elsewhere.
void refuse_planted(const std::string& path) {
  struct stat file {
  }, directory{};
  if (::lstat(path.c_str(), &file) != 0) return;  // it will be made, or opening it will say why not
  if (S_ISDIR(file.st_mode)) throw bad_input(fmt::format("{}: is a directory; a database file is needed", path));
  if (S_ISLNK(file.st_mode)) {
    throw Error(ExitCode::output, fmt::format("{}: is a link, which is not followed for writing; give the database "
                                              "that it leads to with --db, or remove the link",
                                              path));
  }
  if (!S_ISREG(file.st_mode)) throw Error(ExitCode::output, fmt::format("{}: is not a regular file", path));
  if (file.st_nlink > 1) {
    throw Error(ExitCode::output,
                fmt::format("{}: has {} names (hard links); a database needs to have one", path, file.st_nlink));
  }
  const std::string parent = fs::absolute(path).parent_path().string();
  const bool known = ::stat(parent.c_str(), &directory) == 0;
  if (file.st_uid == ::geteuid() || file.st_uid == 0 || (known && file.st_uid == directory.st_uid)) return;
  throw Error(
      ExitCode::output,
      fmt::format("{}: belongs to user {}, who is neither you nor the owner of its directory; it is not written "
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
      return "; make room and gather again: what was gathered before is kept";
    case SQLITE_IOERR:
      return "; the disk may be full, a quota exceeded, or its server gone: gather again when that is mended";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return "; it and its directory need to be writable";
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
            fmt::format("{}: another process holds the database; try again when it is done", path)};
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
  version_of(store.db, path);  // refuses before anything of a foreign file is changed
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
    throw bad_input(fmt::format("{}: no such database; `wansweep gather` makes it", path));
  }
  if (S_ISDIR(status.st_mode)) throw bad_input(fmt::format("{}: is a directory; a database file is needed", path));
  if (!S_ISREG(status.st_mode)) throw bad_input(fmt::format("{}: is not a regular file", path));
  OpenedReadOnly opened = open_read_only(path, reader_timeout_ms);
  Store store{path, std::move(opened.access), std::move(opened.db), ""};
  const int version = version_of(store.db, path);
  if (version == 0) throw bad_input(fmt::format("{}: is empty; `wansweep gather` fills it", path));
  if (version < store_version()) {
    throw bad_input(fmt::format("{}: has version {}, and this wansweep asks version {}; `wansweep gather` upgrades it",
                                path, version, store_version()));
  }
  shadow_views(store);
  store.db.exec("PRAGMA query_only = ON");
  store.db.exec("PRAGMA trusted_schema = OFF");
  sqlite3_db_config(store.db.getHandle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // What one function can be given to work on, which no timeout interrupts.
  sqlite3_limit(store.db.getHandle(), SQLITE_LIMIT_LENGTH, most_value_bytes);
  sqlite3_limit(store.db.getHandle(), SQLITE_LIMIT_LIKE_PATTERN_LENGTH, most_pattern_bytes);
  return store;
} catch (const SQLite::Exception& exception) {
  throw store_error(path, exception);
}

}  // namespace wansweep
