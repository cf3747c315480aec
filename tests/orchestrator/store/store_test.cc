#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "orchestrator/store/database.h"
#include "orchestrator/store/file_system.h"
#include "orchestrator/store/gather.h"
#include "orchestrator/store/query/query.h"
#include "orchestrator/store/query/table.h"
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

TEST_F(StoreTest, TheOffloadLabelTellsWaysToCopyApart) {
  make();
  Store store = open_store(path_);
  const auto label_of = [&](const std::string& settings) {
    store.db.exec(
        "DELETE FROM run; INSERT INTO run (id, sweep_id, name, config, repeat) VALUES (1, 1, 'r', 'c', 1);"
        "INSERT INTO setting (run_id, name, value, origin) VALUES " +
        settings);
    return store.db.execAndGet("SELECT offload FROM run_settings").getString();
  };
  const std::string plain = "(1, 'offload', 'layerwise', 'user'), (1, 'host_memory', 'pinned', 'default')";
  EXPECT_EQ(label_of(plain + ", (1, 'host_store', 'private', 'default'), (1, 'chunk_bytes', '0', 'default'), "
                             "(1, 'yield_to_collectives', 'off', 'default'), (1, 'cooperative', 'off', 'default')"),
            "layerwise");
  EXPECT_EQ(label_of(plain), "layerwise") << "runs of before these settings";
  EXPECT_EQ(label_of(plain + ", (1, 'host_store', 'shared', 'user'), (1, 'chunk_bytes', '4096', 'user'), "
                             "(1, 'yield_to_collectives', 'on', 'user'), (1, 'cooperative', 'auto', 'user')"),
            "layerwise shared cooperative auto yields chunks 4096");
}

TEST_F(StoreTest, OtherFilesAreRefusedAndLeftAlone) {
  std::ofstream(path_) << std::string(5000, 'x');
  EXPECT_EQ(error_of([&] { open_store(path_); }), std::pair(ExitCode::bad_input, path_ + ": is not a SQLite database"));
  EXPECT_EQ(fs::file_size(path_), 5000u);
  fs::remove(path_);
  { SQLite::Database(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE theirs (x)"); }
  EXPECT_NE(error_of([&] { open_store(path_); }).second.find("is the database of another program"), std::string::npos);
  EXPECT_EQ(error_of([&] { open_store(directory_); }).first, ExitCode::bad_input);
  EXPECT_EQ(error_of([&] { open_store(directory_ + "/none/results.db"); }).first, ExitCode::output);
}

TEST_F(StoreTest, ANewerVersionIsRefused) {
  make();
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  EXPECT_NE(error_of([&] {
              open_store(path_);
            }).second.find("has version 99, but this wansweep supports up to " + std::to_string(store_version())),
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
        std::string("PRAGMA user_version = 8"), std::string("PRAGMA query_only = OFF"),
        std::string("PRAGMA journal_mode = DELETE"), std::string("PRAGMA writable_schema = 1"),
        std::string("SELECT load_extension('x')"), std::string("BEGIN IMMEDIATE"), std::string("REINDEX"),
        std::string("WITH a AS (SELECT 1) DELETE FROM sweep"),
        std::string("INSERT INTO sweep DEFAULT VALUES RETURNING 1")}) {
    const auto [code, line] = error_of([&] { run_query(store, sql); });
    EXPECT_EQ(code, ExitCode::bad_input) << sql;
    EXPECT_NE(line.find("not allowed in a query; queries only read"), std::string::npos) << sql << ": " << line;
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

TEST_F(StoreTest, FunctionsThatDoMoreThanComputeAreRefused) {
  make();
  Store store = open_store_readonly(path_);
  for (const char* sql : {"SELECT fts3_tokenizer('x')", "SELECT last_insert_rowid()", "SELECT sqlite_log(1, 'x')"}) {
    const auto [code, line] = error_of([&] { run_query(store, sql); });
    EXPECT_EQ(code, ExitCode::bad_input) << sql;
  }
  EXPECT_NE(error_of([&] { run_query(store, "SELECT fts3_tokenizer('x')"); }).second.find("fts3_tokenizer"),
            std::string::npos);
  EXPECT_EQ(run_query(store,
                      "SELECT json_extract('{\"a\":[1,2]}', '$.a[1]'), max(1, 2), strftime('%Y', 'now'), "
                      "round(sqrt(2), 1), row_number() OVER (), '[1]' ->> 0")
                .rows.size(),
            1u);
}

// SQLite checks for an interrupt where its program jumps, and one long expression does not jump.
TEST_F(StoreTest, ALongExpressionEndsWithItsTime) {
  make();
  const std::string heavy = "length(hex(zeroblob(20000000)))";
  std::string sql = "SELECT " + heavy;
  for (int i = 0; i < 300; ++i) sql += " + " + heavy;
  const auto begin = std::chrono::steady_clock::now();
  const std::string command =
      WANSWEEP_BIN_DIR "/wansweep query " + path_ + " '" + sql + "' --timeout 0.1 2>" + directory_ + "/said";
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::bad_input));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  std::string line;
  std::getline(std::ifstream(directory_ + "/said"), line);
  EXPECT_EQ(line, "wansweep: the query took longer than 0.1 s");
}

TEST_F(StoreTest, AQueryThatCannotBeInterruptedIsGivenUp) {
  make();
  Store store = open_store_readonly(path_);
  std::atomic<int> given_up = 0;
  QueryLimits limits;
  limits.seconds = 0.05;
  limits.abandon = [&](const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    ++given_up;
  };
  // One function call that takes seconds: it looks for a needle that is nearly everywhere in the haystack. With the
  // thread sanitizer a tenth of each takes as long.
#if defined(__SANITIZE_THREAD__)
  const char* sql = "SELECT instr(hex(zeroblob(100000)), hex(zeroblob(10000)) || '1') UNION ALL SELECT 1";
#else
  const char* sql = "SELECT instr(hex(zeroblob(1000000)), hex(zeroblob(100000)) || '1') UNION ALL SELECT 1";
#endif
  EXPECT_THROW(run_query(store, sql, limits), Error);
  EXPECT_GT(given_up, 0);
}

TEST_F(StoreTest, AValueIsAtMost64Megabytes) {
  make();
  Store store = open_store_readonly(path_);
  EXPECT_NE(error_of([&] { run_query(store, "SELECT length(zeroblob(100000000))"); }).second.find("too big"),
            std::string::npos);
}

TEST_F(StoreTest, AnAnswerIsHandedOnRowByRow) {
  make();
  Store store = open_store_readonly(path_);
  const std::string numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  struct Enough {};
  int64_t rows = 0;
  const RowSink sink{[](const std::vector<std::string>& names) { EXPECT_EQ(names, std::vector<std::string>{"i"}); },
                     [&](const std::vector<Cell>&) {
                       if (++rows == 100'000) throw Enough{};
                     }};
  EXPECT_THROW(stream_query(store, numbers, {}, sink), Enough);  // the answer has no end, so the sink must end it
  EXPECT_EQ(run_query(store, "SELECT 1").rows.size(), 1u);
}

// Reads as another user, or on a read-only mount: no file can be made beside the database.
class ReadOnlyTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    make();
  }
  // Runs `ask` in a process that may not write to the folder, and returns its exit code.
  template <typename Ask>
  int as_nobody(Ask ask) const {
    fs::permissions(directory_, fs::perms(0755));
    const pid_t child = fork();
    if (child == 0) {
      if (setgid(65534) != 0 || setuid(65534) != 0) _exit(99);
      try {
        _exit(ask() ? 0 : 1);
      } catch (const Error& error) {
        _exit(static_cast<int>(error.code()));
      }
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  bool one_sweep() const {
    Store store = open_store_readonly(path_);
    return std::get<int64_t>(run_query(store, "SELECT count(*) FROM sweep").rows[0][0]) == 1;
  }
};

TEST_F(ReadOnlyTest, ADatabaseThatNobodyWritesIsReadAsItLies) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  EXPECT_EQ(as_nobody([&] { return one_sweep(); }), 0);
}

TEST_F(ReadOnlyTest, RowsThatAreOnlyInTheWriteAheadLogAreRead) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  SQLite::Database writer(path_, SQLite::OPEN_READWRITE);
  writer.exec("INSERT INTO sweep (name, directory) VALUES ('second', '/y')");
  ASSERT_GT(fs::file_size(path_ + "-wal"), 0u);
  fs::permissions(path_ + "-shm", fs::perms(0600));
  EXPECT_EQ(as_nobody([&] {
              Store store = open_store_readonly(path_);
              return std::get<int64_t>(run_query(store, "SELECT count(*) FROM sweep").rows[0][0]) == 2;
            }),
            0);
}

TEST_F(ReadOnlyTest, AWriteDuringTheQueryIsReported) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  const int busy = as_nobody([&] {
    Store store = open_store_readonly(path_);
    const RowSink sink{[](const std::vector<std::string>&) {}, [](const std::vector<Cell>&) {}};
    return !stream_query(store, "SELECT 1", {}, sink);
  });
  EXPECT_EQ(busy, 0);
  // The owner writes to the database while the query runs.
  fs::permissions(path_, fs::perms(0666));
  EXPECT_EQ(as_nobody([&] {
              Store store = open_store_readonly(path_);
              const RowSink sink{[](const std::vector<std::string>&) {},
                                 [&](const std::vector<Cell>&) { utimensat(AT_FDCWD, path_.c_str(), nullptr, 0); }};
              return !stream_query(store, "SELECT 1", {}, sink);
            }),
            static_cast<int>(ExitCode::store_busy));
}

TEST_F(StoreTest, ADatabaseThatIsALinkIsReadButNotWritten) {
  make();
  const std::string link = directory_ + "/link.db";
  fs::create_symlink(path_, link);
  EXPECT_EQ(std::get<int64_t>([&] {
              Store store = open_store_readonly(link);
              return run_query(store, "SELECT count(*) FROM sweep").rows[0][0];
            }()),
            1);
  EXPECT_NE(error_of([&] { open_store(link); }).second.find("is a symbolic link, which is not followed for writing"),
            std::string::npos);
  const std::string ahead = directory_ + "/ahead.db";
  fs::create_symlink(directory_ + "/elsewhere.db", ahead);
  EXPECT_EQ(error_of([&] { open_store(ahead); }).first, ExitCode::output);
  EXPECT_FALSE(fs::exists(directory_ + "/elsewhere.db"));
  fs::create_hard_link(path_, directory_ + "/second.db");
  EXPECT_NE(error_of([&] { open_store(path_); }).second.find("has 2 names"), std::string::npos);
  fs::remove(directory_ + "/second.db");
  fs::create_directory_symlink(directory_, directory_ + "/folder");
  EXPECT_EQ(open_store(directory_ + "/folder/results.db").db.execAndGet("SELECT count(*) FROM sweep").getInt(), 1);
}

TEST_F(StoreTest, ADatabaseOfAThirdPartyIsNotWritten) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  make();
  ASSERT_EQ(chown(path_.c_str(), 65534, 65534), 0);
  EXPECT_NE(error_of([&] { open_store(path_); }).second.find("belongs to user 65534"), std::string::npos);
  ASSERT_EQ(chown(directory_.c_str(), 65534, 65534), 0);
  EXPECT_NO_THROW(open_store(path_));
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

}  // namespace
}  // namespace wansweep
