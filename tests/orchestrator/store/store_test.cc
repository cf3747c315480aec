#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "orchestrator/store/database.h"
#include "orchestrator/store/file_system.h"
#include "orchestrator/store/gather.h"
#include "orchestrator/store/query.h"
#include "orchestrator/store/table.h"
#include "orchestrator/store/upgrade.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "wansweep-store-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ + "/results.db";
  }
  void TearDown() override { fs::remove_all(directory_); }
  void make() const {
    Store store = open_store(path_);
    store.db.exec("INSERT INTO sweep (name, directory) VALUES ('demo', '/x')");
  }
  std::string directory_, path_;
};

template <typename Action>
std::pair<ExitCode, std::string> error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "no error";
  return {ExitCode::ok, ""};
}

TEST_F(StoreTest, IsMadeOnceAndOpenedAgain) {
  make();
  Store store = open_store(path_);
  EXPECT_EQ(store.db.execAndGet("SELECT count(*) FROM sweep").getInt(), 1);
  EXPECT_EQ(store.db.execAndGet("PRAGMA user_version").getInt(), store_version());
  EXPECT_EQ(store.db.execAndGet("PRAGMA foreign_keys").getInt(), 1);
}

TEST_F(StoreTest, OtherFilesAreRefusedAndLeftAlone) {
  std::ofstream(path_) << std::string(5000, 'x');
  EXPECT_EQ(error_of([&] { open_store(path_); }), std::pair(ExitCode::bad_input, path_ + ": is not a SQLite database"));
  EXPECT_EQ(fs::file_size(path_), 5000u);
  fs::remove(path_);
  { SQLite::Database(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE theirs (x)"); }
  EXPECT_NE(error_of([&] { open_store(path_); }).second.find("another program's database"), std::string::npos);
  EXPECT_EQ(error_of([&] { open_store(directory_); }).first, ExitCode::bad_input);
  EXPECT_EQ(error_of([&] { open_store(directory_ + "/none/results.db"); }).first, ExitCode::output);
}

TEST_F(StoreTest, ANewerVersionIsRefused) {
  make();
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  EXPECT_NE(error_of([&] { open_store(path_); }).second.find("has version 99; this wansweep knows 4"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_store_readonly(path_); }).second.find("has version 99"), std::string::npos);
}

TEST_F(StoreTest, AWriteAheadLogIsUsedOnLocalFileSystemsOnly) {
  make();
  EXPECT_EQ(file_system_of(path_), FileSystem::local);
  EXPECT_EQ(open_store(path_).db.execAndGet("PRAGMA journal_mode").getString(), "wal");
  EXPECT_EQ(file_system_of_type(0x6969), FileSystem::nfs);
  EXPECT_EQ(file_system_of_type(0x0BD00BD0), FileSystem::lustre);
  EXPECT_EQ(file_system_of_type(0x47504653), FileSystem::shared);  // GPFS
  EXPECT_EQ(file_system_of_type(0xEF53), FileSystem::local);
}

TEST_F(StoreTest, QuestionsNeedADatabaseThatIsThere) {
  EXPECT_EQ(error_of([&] { open_store_readonly(path_); }).first, ExitCode::bad_input);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(StoreTest, AHeldDatabaseIsSaidToBeBusy) {
  make();
  SQLite::Database holder(path_, SQLite::OPEN_READWRITE);
  holder.exec("BEGIN IMMEDIATE");
  Store store = open_store(path_);  // nothing is to be changed yet
  store.db.setBusyTimeout(1);
  fs::create_directories(directory_ + "/attempts");
  std::ofstream(directory_ + "/sweep.json") << R"({"sweep": "demo", "runs": []})";
  EXPECT_EQ(error_of([&] { gather(directory_, store); }).first, ExitCode::store_busy);
}

TEST_F(StoreTest, QueryCannotWriteAttachOrReconfigure) {
  make();
  Store store = open_store_readonly(path_);
  const std::string other = directory_ + "/other.db";
  for (const std::string& sql :
       {std::string("DELETE FROM sweep"), std::string("INSERT INTO sweep (name, directory) VALUES ('a', 'b')"),
        std::string("UPDATE sweep SET name = 'x'"), std::string("DROP TABLE sweep"), std::string("CREATE TABLE t (x)"),
        std::string("CREATE TEMP TABLE t (x)"), "ATTACH '" + other + "' AS o", "VACUUM INTO '" + other + "'",
        std::string("PRAGMA user_version = 7"), std::string("PRAGMA query_only = OFF"),
        std::string("PRAGMA journal_mode = DELETE"), std::string("PRAGMA writable_schema = 1"),
        std::string("SELECT load_extension('x')"), std::string("BEGIN IMMEDIATE"), std::string("REINDEX"),
        std::string("WITH a AS (SELECT 1) DELETE FROM sweep"),
        std::string("INSERT INTO sweep DEFAULT VALUES RETURNING 1")}) {
    const auto [code, line] = error_of([&] { run_query(store, sql); });
    EXPECT_EQ(code, ExitCode::bad_input) << sql;
    EXPECT_NE(line.find("not allowed here; queries only read"), std::string::npos) << sql << ": " << line;
  }
  EXPECT_FALSE(fs::exists(other));
  EXPECT_EQ(std::get<int64_t>(run_query(store, "SELECT count(*) FROM sweep").rows[0][0]), 1);
  EXPECT_EQ(run_query(store, "PRAGMA table_info(sweep)").rows.size(), 5u);
}

TEST_F(StoreTest, OneStatementAtATime) {
  make();
  Store store = open_store_readonly(path_);
  EXPECT_NE(error_of([&] { run_query(store, "SELECT 1; SELECT 2"); }).second.find("several statements"),
            std::string::npos);
  EXPECT_NE(error_of([&] { run_query(store, " -- nothing\n"); }).second.find("no statement"), std::string::npos);
  EXPECT_NE(error_of([&] { run_query(store, "SELECT nonsense"); }).second.find("no such column"), std::string::npos);
  EXPECT_EQ(run_query(store, "-- why?\nSELECT 1; -- that is all\n;").rows.size(), 1u);
}

TEST_F(StoreTest, LimitsOfTimeAndRowsHold) {
  make();
  Store store = open_store_readonly(path_);
  const std::string numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  const Table table = run_query(store, numbers, {.seconds = std::nullopt, .rows = 5, .stop = nullptr});
  EXPECT_EQ(table.rows.size(), 5u);
  EXPECT_TRUE(table.cut);
  EXPECT_FALSE(run_query(store, "SELECT 1", {.seconds = 5, .rows = 1, .stop = nullptr}).cut);
  EXPECT_NE(error_of([&] {
              run_query(store, numbers + " WHERE i < 0", {.seconds = 0.05, .rows = {}, .stop = nullptr});
            }).second.find("took longer than 0.05 s"),
            std::string::npos);
  EXPECT_EQ(run_query(store, "SELECT 1").rows.size(), 1u);
}

TEST_F(StoreTest, AQueryCanBeStopped) {
  make();
  Store store = open_store_readonly(path_);
  const volatile std::sig_atomic_t stop = 1;
  const std::string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
  EXPECT_EQ(error_of([&] { run_query(store, endless, {.seconds = {}, .rows = {}, .stop = &stop}); }).first,
            ExitCode::interrupted);
}

TEST_F(StoreTest, AnUnknownNamedQueryNamesThoseThatAre) {
  EXPECT_NE(named_query("offload_comparison").find("SELECT"), std::string::npos);
  EXPECT_NE(error_of([] { named_query("none"); }).second.find("offload_comparison"), std::string::npos);
  EXPECT_NE(error_of([] { named_query("swich_steps"); }).second.find("did you mean switch_steps?"), std::string::npos);
}

const Table sample{{"näme", "n", "x"},
                   {{std::string("é,\"1\""), int64_t{7}, 1.5},
                    {std::string("two\nlines"), int64_t{-12}, 10.25},
                    {std::monostate{}, std::monostate{}, std::monostate{}}},
                   false};

TEST(Table, TextAlignsNumbersAndCountsCharacters) {
  EXPECT_EQ(to_text(sample),
            "näme         n      x\n"
            "---------  ---  -----\n"
            "é,\"1\"        7   1.50\n"
            "two lines  -12  10.25\n"
            "-            -      -\n");
}

TEST(Table, LongHeadersStandInLinesAboveTheirColumn) {
  EXPECT_EQ(to_text({{"run", "median_step_ms"}, {{std::string("a"), 12.5}}, false}),
            "     median\n"
            "       step\n"
            "run      ms\n"
            "---  ------\n"
            "a      12.5\n");
}

TEST(Table, CsvQuotesAsTheRfcSays) {
  EXPECT_EQ(to_csv(sample), "näme,n,x\r\n\"é,\"\"1\"\"\",7,1.5\r\n\"two\nlines\",-12,10.25\r\n,,\r\n");
}

TEST(Table, JsonKeepsTypesAndNulls) {
  const auto json = nlohmann::json::parse(to_json(sample));
  EXPECT_EQ(json[0]["n"], 7);
  EXPECT_EQ(json[1]["x"], 10.25);
  EXPECT_TRUE(json[2]["näme"].is_null());
}

}  // namespace
}  // namespace wansweep
