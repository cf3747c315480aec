// Databases of older versions: results-vN.sql are schemas as they were committed.
#include "orchestrator/store/upgrade.h"

#include <SQLiteCpp/Statement.h>
#include <hdf5.h>
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
  // Writes what today's gather wrote, without the columns that the older version lacks, into a database of that
  // version.
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
      if (version > 5) {
        for (const std::string table : {"step_part", "traffic_rate", "event_spread", "largest_event"})
          db.exec("INSERT INTO main." + table + " SELECT * FROM new." + table);
        if (version < 9) db.exec("UPDATE main.traffic_rate SET rate = 1");  // as that version may have estimated it
      }
      if (version > 7) {
        for (const std::string table : {"power", "prediction"})
          db.exec("INSERT INTO main." + table + " SELECT * FROM new." + table);
      }
    }
    remove_database();
    fs::rename(old, database_);
  }
  // The columns of the table in the older version.
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
  // The columns, keys and views of a database, without the way in which they were written down.
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

// Turns the attempt's traces into those of an older worker: format 1, and a record that fits.
void as_format_1(const std::string& directory) {
  Completion completion = *read_completion(directory);
  for (TraceRecord& trace : completion.traces) {
    const std::string file = directory + "/" + trace.file;
    const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t attribute = H5Aopen(id, "format", H5P_DEFAULT);
    const int format = 1;
    ASSERT_GE(H5Awrite(attribute, H5T_NATIVE_INT, &format), 0);
    H5Aclose(attribute);
    ASSERT_GE(H5Ldelete(id, "nonfinite", H5P_DEFAULT), 0);
    H5Fclose(id);
    trace.sha256 = sha256_file(file);
  }
  write_completion(directory, completion);
}

TEST_F(UpgradeTest, EachOlderVersionBecomesWhatANewDatabaseIs) {
  as_format_1(write_attempt(sweep_, {.exposed_ms = 30, .first_load_ms = 40}));
  as_format_1(write_attempt(sweep_, {.offload = "layerwise", .first_load_ms = 40}));
  as_format_1(write_attempt(
      sweep_, {.offload = "swap", .spike_ms = 500, .exposed_ms = 60, .slower_ms = 100, .exchange_ms = 40}));
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
    EXPECT_EQ(gather(sweep_, store).unchanged, 3);
  }
}

// A database of version 3 as its gather left it: two ranks load their first expert within step 1, for 30 and 34 ms,
// switch in step 2, and wait for the switch. Rank 1's clock is aligned already.
TEST_F(UpgradeTest, TheFirstLoadOfSwapLeavesStepOneAndAllTimesCountFromThere) {
  {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(text_of(WANSWEEP_SOURCE_DIR "/tests/orchestrator/store/results-v3.sql"));
    db.exec(R"(
      INSERT INTO sweep VALUES (1, 'demo', '/demo', NULL, NULL);
      INSERT INTO run VALUES (1, 1, 'swap-1', 'c', 1, 'w', 1, 2, 1, 2, 2, NULL);
      INSERT INTO setting VALUES (1, 'offload', 'swap', 'user', NULL), (1, 'ranks', '2', 'user', NULL);
      INSERT INTO attempt VALUES (1, 1, 1, 't', 'local', 'completed', 0, NULL, 1, NULL, NULL, NULL, 'd', '/demo/attempts/swap-1-a1', 'f', 'now');
      INSERT INTO rank VALUES (1, 1, 0, 'node1', 0, 0, 0, '{}', 'x', 1, 2, 7, 1, 1), (2, 1, 1, 'node1', 0, 0, 0, '{}', 'y', 1, 2, 3, 0, 8);
      INSERT INTO step VALUES (1, 1, 1, 999, 0.9, 0, 130), (1, 2, 2, 500, 0.5, 130, 170), (2, 1, 1, 999, 0.9, 0, 131), (2, 2, 2, 500, 0.5, 131, 169);
      INSERT INTO memory VALUES (1, 1, 1, 130, 5, 6, 7, 8);
      INSERT INTO event VALUES (1, 1, -1, -1, 4, 0, 1, 1, 1, 29, 700), (2, 1, -1, -1, 7, 0, 1, 1, 0, 30, 700),
        (3, 1, -1, -1, 6, 1, 0, 1, 2, 30, 0), (4, 1, 0, 3, 0, 0, 0, 1, 40, 90, 0), (5, 2, -1, 3, 5, 0, 1, 1, 130, 20, 700),
        (6, 2, -1, -1, 4, 0, 1, 2, 150, 25, 700), (7, 2, -1, -1, 7, 0, 1, 2, 130, 45, 1400),
        (8, 1, -1, -1, 4, 0, 1, 1, 0, 34, 700), (9, 1, -1, -1, 7, 0, 1, 1, 0, 34, 700), (10, 1, 0, 3, 0, 0, 0, 1, 40, 90, 0);
      INSERT INTO step_summary VALUES (1, 1, 90, 29, 0, 700, 0, 29, 30, 0, 0, 0, 0), (1, 2, 0, 25, 20, 700, 700, 45, 0, 0, 0, 0, 0),
        (2, 1, 90, 34, 0, 700, 0, 34, 0, 0, 0, 0, 0);
    )");
  }
  Store store = open_store(database_);
  const auto row = [&](const std::string& sql) {
    SQLite::Statement query(store.db, sql);
    std::string all;
    while (query.executeStep()) {
      for (int c = 0; c < query.getColumnCount(); ++c)
        all += query.getColumn(c).getString() + (c + 1 < query.getColumnCount() ? "," : ";");
    }
    return all;
  };
  // Rank 0 waited until 32 and rank 1 loaded until 34, so step 1 begins at 32, which is now 0.
  EXPECT_EQ(row("SELECT rank_id, step, start_ns, duration_ns FROM step ORDER BY 1, 2"),
            "1,1,0,98;1,2,98,170;2,1,2,97;2,2,99,169;");
  EXPECT_EQ(row("SELECT id, step, block, start_ns FROM event ORDER BY id"),
            "1,0,-1,-31;2,0,-1,-32;3,0,-1,-30;4,1,3,8;5,2,-1,98;6,2,-1,118;7,2,-1,98;8,0,-1,-32;9,0,-1,-32;10,1,3,8;");
  EXPECT_EQ(row("SELECT time_ns FROM memory"), "98;");
  EXPECT_EQ(row("SELECT first_load_ns, first_load_bytes FROM rank ORDER BY id"), "29,700;34,700;");
  EXPECT_EQ(
      row("SELECT step, h2d_ns, h2d_bytes, exposed_transfer_ns, stall_weights_ns, compute_ns FROM step_summary WHERE "
          "rank_id = 1 ORDER BY step"),
      "0,29,700,29,30,0;1,0,0,0,0,90;2,25,700,45,0,0;");
  EXPECT_EQ(row("SELECT total_ns FROM attempt_time"), "268;");
  EXPECT_EQ(row("SELECT exposed_transfer_ns FROM attempt_waits"), "45;");
  EXPECT_EQ(row("SELECT first_load_ns FROM attempt_load"), "34;");
  EXPECT_EQ(row("SELECT same_latents IS NULL, round(first_load_s * 1e9) FROM offload_comparison"), "1,0.0;");
}

// Databases of version 7 lack the power that their traces hold.
TEST_F(UpgradeTest, PowerComesWithTheNextGatherWhereTheTracesAreStillThere) {
  write_attempt(sweep_, {.tells_power = true});
  const std::string gone = write_attempt(sweep_, {.repeat = 2, .tells_power = true});
  write_attempt(sweep_, {.repeat = 3});
  gather_as_version(7);
  fs::remove(gone + "/rank-0001.h5");
  Store store = open_store(database_);
  EXPECT_EQ(store.db.execAndGet("SELECT count(*) FROM power").getInt(), 0);
  const GatherReport report = gather(sweep_, store);
  EXPECT_EQ(report.unchanged, 1);
  EXPECT_EQ(report.replaced, 1);
  EXPECT_EQ(store.db.execAndGet("SELECT count(*) FROM power").getInt(), 2 * 28);
  EXPECT_EQ(store.db.execAndGet("SELECT count(*) FROM step").getInt(), 3 * 2 * 27) << "what was there stays";
  EXPECT_EQ(gather(sweep_, store).replaced, 0);
}

// Version 9 trusted a flow_shift that was concluded for an import.
TEST_F(UpgradeTest, ImportsWithAConcludedFlowShiftAreReadAgain) {
  write_attempt(sweep_, {});
  write_attempt(sweep_, {.repeat = 2});
  gather_as_version(9);
  {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE);
    db.exec("UPDATE attempt SET launcher = NULL WHERE id = 1");
    db.exec("UPDATE setting SET origin = 'sglang-0.5.9' WHERE name = 'flow_shift'");
  }
  Store store = open_store(database_);
  const GatherReport report = gather(sweep_, store);
  EXPECT_EQ(report.replaced, 1);
  EXPECT_EQ(report.unchanged, 1);
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
    EXPECT_NE(std::string(error.what()).find("upgrade it with `wansweep gather`"), std::string::npos);
  }
}

TEST_F(UpgradeTest, ViewsThatDifferAreMadeAnewAndAPersonsOwnStay) {
  write_attempt(sweep_, {});
  gather_all();
  {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE);
    db.exec("DROP VIEW runs; CREATE VIEW runs AS SELECT 1; CREATE VIEW mine AS SELECT 2");
  }
  EXPECT_EQ(text("SELECT state FROM runs"), "complete");  // a reader uses its own program's views
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
