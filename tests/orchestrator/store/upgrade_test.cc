// Databases of older versions: results-vN.sql are schemas as they were committed.
#include "orchestrator/store/upgrade.h"

#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using synthetic::write_attempt;

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

class UpgradeTest : public SweepTest {
 protected:
  // What this version's gather wrote, less what the older version had not, in a file of that version.
  void gather_as_version(int version) const {
    gather_all();
    const std::string old = directory_ + "/old.db";
    {
      SQLite::Database db(old, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      db.exec(text_of(WANSWEEP_SOURCE_DIR "/tests/orchestrator/store/results-v" + std::to_string(version) + ".sql"));
      db.exec("ATTACH '" + database_ + "' AS new");
      for (const char* table :
           {"sweep", "run", "attempt", "setting", "rank", "step", "event", "memory", "step_summary"})
        db.exec("INSERT INTO main." + std::string(table) + " SELECT " + columns_of(db, table) + " FROM new." + table);
      if (version > 1) db.exec("INSERT INTO main.environment SELECT * FROM new.environment");
      if (version > 2) db.exec("INSERT INTO main.traffic SELECT * FROM new.traffic");
    }
    remove_database();
    fs::rename(old, database_);
  }
  // Of the older table: newer ones have more.
  static std::string columns_of(SQLite::Database& db, const std::string& table) {
    return db.execAndGet("SELECT group_concat(name) FROM pragma_table_info('" + table + "', 'main')").getString();
  }
  std::vector<std::string> copies() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().filename().string().starts_with("results.db.v")) found.push_back(entry.path().string());
    }
    return found;
  }
  // Columns, keys and views: what a schema is, however it was written down.
  static std::string shape_of(SQLite::Database& db) {
    std::string shape;
    for (const char* sql :
         {"SELECT t.name, c.name, c.type, c.[notnull], c.pk FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c "
          "WHERE t.schema = 'main' AND t.type = 'table' ORDER BY 1, c.cid",
          "SELECT t.name, t.wr, t.strict FROM pragma_table_list t WHERE t.schema = 'main' ORDER BY 1",
          "SELECT t.name, f.[table], f.[from], f.on_delete FROM pragma_table_list t JOIN "
          "pragma_foreign_key_list(t.name) f ORDER BY 1, 3",
          "SELECT name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger', 'index') ORDER BY 1"}) {
      SQLite::Statement query(db, sql);
      while (query.executeStep()) {
        for (int c = 0; c < query.getColumnCount(); ++c) shape += query.getColumn(c).getString() + '|';
        shape += '\n';
      }
    }
    return shape;
  }
};

TEST_F(UpgradeTest, EachOlderVersionBecomesWhatANewDatabaseIs) {
  write_attempt(sweep_, {.exposed_ms = 30});
  write_attempt(sweep_, {.offload = "swap", .spike_ms = 500, .exposed_ms = 60, .slower_ms = 100, .exchange_ms = 40});
  gather_all();
  const std::string rows = contents();
  const std::string shape = [&] {
    Store store = open_store(database_);
    return shape_of(store.db);
  }();
  for (int version = 1; version < store_version(); ++version) {
    gather_as_version(version);
    Store store = open_store(database_);
    EXPECT_EQ(shape_of(store.db), shape) << version;
    EXPECT_EQ(contents(), rows) << version;
    EXPECT_EQ(store.db.execAndGet("PRAGMA user_version").getInt(), store_version());
    EXPECT_EQ(store.db.execAndGet("PRAGMA integrity_check").getString(), "ok");
    EXPECT_EQ(gather(sweep_, store).unchanged, 2);
  }
}

TEST_F(UpgradeTest, TheFileIsCopiedFirstAndOnce) {
  write_attempt(sweep_, {});
  gather_as_version(1);
  const std::string copy = open_store(database_).upgraded_from;
  EXPECT_EQ(copies(), std::vector<std::string>{copy});
  SQLite::Database old(copy, SQLite::OPEN_READONLY);
  EXPECT_EQ(old.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_EQ(old.execAndGet("SELECT count(*) FROM attempt").getInt(), 1);
  EXPECT_EQ(open_store(database_).upgraded_from, "");
  EXPECT_EQ(copies().size(), 1u);
}

TEST_F(UpgradeTest, AnUpgradeThatFailsLeavesTheFileAsItWas) {
  write_attempt(sweep_, {});
  gather_as_version(1);
  { SQLite::Database(database_, SQLite::OPEN_READWRITE).exec("CREATE TABLE traffic (in_the_way)"); }
  EXPECT_THROW(open_store(database_), Error);
  SQLite::Database db(database_, SQLite::OPEN_READONLY);
  EXPECT_EQ(db.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_EQ(db.execAndGet("SELECT count(*) FROM sqlite_schema WHERE name = 'environment'").getInt(), 0);
  EXPECT_EQ(db.execAndGet("SELECT count(*) FROM offload_comparison").getInt(), 1);
}

TEST_F(UpgradeTest, QuestionsToAnOlderVersionSayHowToUpgrade) {
  write_attempt(sweep_, {});
  gather_as_version(1);
  try {
    open_store_readonly(database_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("`wansweep gather` upgrades it"), std::string::npos);
  }
}

TEST_F(UpgradeTest, ViewsThatDifferAreMadeAnewAndAPersonsOwnStay) {
  write_attempt(sweep_, {});
  gather_all();
  {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE);
    db.exec("DROP VIEW runs; CREATE VIEW runs AS SELECT 1; CREATE VIEW mine AS SELECT 2");
  }
  EXPECT_EQ(text("SELECT state FROM runs"), "complete");  // a reader has the views of its program, whatever is there
  Store store = open_store(database_);
  EXPECT_EQ(store.upgraded_from, "");
  EXPECT_EQ(store.db.execAndGet("SELECT state FROM runs").getString(), "complete");
  EXPECT_EQ(number("SELECT * FROM mine"), 2);
}

TEST(Schema, EveryColumnIsDocumentedAndSaysItsUnit) {
  std::istringstream lines(results_sql);
  const std::regex column("^  ([a-z_0-9]+) +(INTEGER|TEXT|REAL)\\b[^-]*(-- (.+))?");
  int columns = 0;
  for (std::string line; std::getline(lines, line);) {
    std::smatch part;
    if (!std::regex_search(line, part, column) || line.starts_with("  id ")) continue;
    ++columns;
    const std::string name = part[1], words = part[4];
    EXPECT_FALSE(words.empty()) << line;
    if (name.ends_with("_ns")) {
      EXPECT_TRUE(words.starts_with("ns")) << line;
    }
    const std::regex sizes("(device|host)_(used|peak)|(.*_)?bytes");
    if (std::regex_match(name, sizes)) {
      EXPECT_TRUE(words.starts_with("bytes")) << line;
    }
    if (name.ends_with("_at") || name == "at") {
      EXPECT_TRUE(words.starts_with("time")) << line;
    }
  }
  EXPECT_GT(columns, 100);
}

TEST(Migrations, EndAtTheVersionOfTheSchema) {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
  db.exec(results_sql);
  EXPECT_EQ(db.execAndGet("PRAGMA user_version").getInt(), store_version());
  for (size_t i = 0; i < migrations.size(); ++i) EXPECT_EQ(migrations[i].version, static_cast<int>(i) + 2);
}

}  // namespace
}  // namespace wansweep
