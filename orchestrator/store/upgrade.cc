#include "orchestrator/store/upgrade.h"

#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/clock.h"
#include "orchestrator/store/bind.h"
#include "orchestrator/store/embedded_sql.h"
#include "orchestrator/store/rank_rows.h"
#include "orchestrator/store/setting_lists.h"
#include "orchestrator/store/upgrade_first_load.h"
#include "orchestrator/store/upgrade_sums.h"

namespace wansweep {
namespace {

using Views = std::map<std::string, std::string>;  // SQL by name

Views views_of(SQLite::Database& db) {
  Views views;
  SQLite::Statement query(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'view'");
  while (query.executeStep()) views[query.getColumn(0).getString()] = query.getColumn(1).getString();
  return views;
}

void create_views(SQLite::Database& db) {
  db.exec(filled_views_sql());
  for (const NamedQuery& query : named_queries) db.exec("CREATE VIEW " + query.name + " AS\n" + query.sql);
}

const Views& wanted_views() {
  static const Views views = [] {
    SQLite::Database scratch(":memory:", SQLite::OPEN_READWRITE);
    create_views(scratch);
    return views_of(scratch);
  }();
  return views;
}

void sync_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!done) throw Error(ExitCode::output, fmt::format("{}: cannot be written to the disk", path));
}

// A second connection reads what was committed last, while this one holds the write lock.
std::string copy_database(const std::string& path, int version) {
  std::string time = timestamp_now();
  std::erase_if(time, [](char c) { return c == ':' || c == '-' || c == '.'; });
  std::string copy = fmt::format("{}.v{}-{}", path, version, time);
  SQLite::Database source(path, SQLite::OPEN_READONLY);
  SQLite::Statement vacuum(source, "VACUUM INTO ?");
  try {
    execute(vacuum, copy);
    sync_file(copy);
  } catch (const std::exception& error) {
    std::error_code ignored;
    std::filesystem::remove(copy, ignored);
    throw Error(ExitCode::output,
                fmt::format("{}: the database cannot be copied before its upgrade: {}", copy, error.what()));
  }
  return copy;
}

// Version 3 has sums that the gather of older versions did not make.
void fill_traffic(Store& store) {
  struct Rank {
    int64_t id;
    std::string host;
  };
  std::map<int64_t, std::vector<Rank>> attempts;
  SQLite::Statement query(store.db, "SELECT attempt_id, id, coalesce(host, '') FROM rank ORDER BY id");
  while (query.executeStep()) {
    attempts[query.getColumn(0).getInt64()].push_back({query.getColumn(1).getInt64(), query.getColumn(2).getString()});
  }
  for (const auto& [attempt, ranks] : attempts) {  // one at a time: an attempt may be a gigabyte
    std::vector<std::vector<EventRow>> events;
    for (const Rank& rank : ranks) events.push_back(read_events(store, rank.id));
    std::vector<HostedEvents> hosted;
    for (size_t i = 0; i < ranks.size(); ++i) hosted.push_back({&events[i], ranks[i].host});
    const std::vector<Traffic> traffic = summarize_traffic(hosted);
    for (size_t i = 0; i < ranks.size(); ++i) write_traffic(store, ranks[i].id, traffic[i]);
  }
}

}  // namespace

int store_version() { return migrations.back().version; }

std::string upgrade(Store& store, int from_version) {
  std::string copy = copy_database(store.path, from_version);
  // Views of the older version may name what a migration changes.
  for (const auto& [name, sql] : views_of(store.db)) store.db.exec("DROP VIEW \"" + name + '"');
  for (const Migration& migration : migrations) {
    if (migration.version <= from_version) continue;
    store.db.exec(migration.sql);
    if (migration.version == 3) fill_traffic(store);
    if (migration.version == 4) separate_first_loads(store);
    if (migration.version == 9) fill_sums(store);  // the last version that makes the sums of all before it anew
  }
  return copy;
}

bool has_current_views(Store& store) {
  const Views there = views_of(store.db);
  // A person's own views may stand beside them.
  return std::all_of(wanted_views().begin(), wanted_views().end(), [&](const auto& view) {
    const auto found = there.find(view.first);
    return found != there.end() && found->second == view.second;
  });
}

void refresh_views(Store& store) {
  if (has_current_views(store)) return;
  for (const auto& [name, sql] : wanted_views()) {
    store.db.exec("DROP VIEW IF EXISTS \"" + name + '"');
    store.db.exec(sql);
  }
}

void shadow_views(Store& store) {
  if (has_current_views(store)) return;
  store.db.exec("PRAGMA temp_store = MEMORY");
  for (const auto& [name, sql] : wanted_views()) store.db.exec("CREATE TEMP" + sql.substr(sql.find(' ')));
}

}  // namespace wansweep
