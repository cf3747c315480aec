// Nothing that happens to gather may damage the database: kills, a full disk, a second gather, readers.
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "tests/orchestrator/store/sweep_fixture.h"

namespace wansweep {
namespace {

using synthetic::write_attempt;
using Clock = std::chrono::steady_clock;

class SafetyTest : public SweepTest {
 protected:
  void SetUp() override {
    SweepTest::SetUp();
    for (int repeat = 1; repeat <= attempts; ++repeat) write_attempt(sweep_, {.repeat = repeat, .exposed_ms = 30});
  }

  // Starts `wansweep gather` as a process of its own. file_limit: the most bytes that any file may have; 0: no limit.
  pid_t start_gather(rlim_t file_limit = 0) const {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    freopen("/dev/null", "w", stdout);
    freopen("/dev/null", "w", stderr);
    if (file_limit > 0) {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{file_limit, file_limit};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    execl(WANSWEEP_BIN_DIR "/wansweep", "wansweep", "gather", sweep_.c_str(), "--db", database_.c_str(), nullptr);
    _exit(127);
  }
  static int wait_for(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
  }
  // Expects that every attempt is in the database as a whole or not at all.
  void expect_sound() const {
    if (!fs::exists(database_)) return;
    SQLite::Database db(database_,
                        SQLite::OPEN_READWRITE);  // like the next gather: rolls back a killed gather's journal
    EXPECT_EQ(db.execAndGet("PRAGMA integrity_check").getString(), "ok");
    if (db.execAndGet("PRAGMA user_version").getInt() == 0) return;  // gather was killed before it made the tables
    EXPECT_EQ(db.execAndGet("SELECT count(*) FROM pragma_foreign_key_check").getInt(), 0);
    EXPECT_EQ(db.execAndGet("SELECT coalesce(sum(events), 0) FROM rank").getInt64(),
              db.execAndGet("SELECT count(*) FROM event").getInt64());
    EXPECT_EQ(
        db.execAndGet("SELECT count(*) FROM attempt a WHERE complete <> 1 OR "
                      "(SELECT count(*) FROM rank r WHERE r.attempt_id = a.id) <> 2 OR "
                      "(SELECT count(*) FROM step s JOIN rank r ON r.id = s.rank_id WHERE r.attempt_id = a.id) <> 54")
            .getInt(),
        0);
  }

  // What was gathered, in an order that does not depend on which reader was done first.
  std::string gathered() const {
    return to_csv(
        ask("SELECT r.name, a.n, a.complete, a.latents_digest, k.rank, k.trace_sha256, k.events FROM run r "
            "JOIN attempt a ON a.run_id = r.id JOIN rank k ON k.attempt_id = a.id ORDER BY 1, 2, 5"));
  }

  static constexpr int attempts = 6;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kills = 10;  // a gather takes five times as long there, and is killed at other instants
#else
constexpr int kills = 50;
#endif

TEST_F(SafetyTest, AKillAtAnyInstantLeavesWholeAttempts) {
  const auto begin = Clock::now();
  ASSERT_EQ(wait_for(start_gather()), 0);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  const std::string expected = gathered();
  std::mt19937 random(7);
  std::uniform_int_distribution<int64_t> instant(0, whole.count());
  int killed = 0;
  for (int kill_number = 0; kill_number < kills; ++kill_number) {
    if (kill_number % 3 == 0) remove_database();  // otherwise the next gather goes on where this one was killed
    const pid_t pid = start_gather();
    const pid_t other = kill_number % 5 == 4 ? start_gather() : 0;  // must not suffer from what happens to the first
    std::this_thread::sleep_for(std::chrono::microseconds(instant(random)));
    kill(pid, SIGKILL);
    if (WIFSIGNALED(wait_for(pid))) ++killed;
    if (other != 0) {
      EXPECT_EQ(wait_for(other), 0);
    }
    expect_sound();
  }
  EXPECT_GT(killed, kills / 5);
  remove_database();
  ASSERT_EQ(wait_for(start_gather()), 0);
  EXPECT_EQ(gathered(), expected);
}

TEST_F(SafetyTest, AFileSizeLimitIsReportedAndLosesNothing) {
  remove_database();
  for (const rlim_t bytes : {20'000, 60'000, 120'000, 200'000}) {
    const int status = wait_for(start_gather(bytes));
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::output)) << bytes;
    expect_sound();
  }
  EXPECT_EQ(wait_for(start_gather()), 0);
  EXPECT_EQ(number("SELECT count(*) FROM current_attempt"), attempts);
}

// A file system of the given size, mounted as long as this object lives.
class SmallDisk {
 public:
  SmallDisk(const std::string& folder, const std::string& size) : folder_(folder) {
    fs::create_directories(folder);
    mounted_ = mount("none", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount(folder_.c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::string folder_;
  bool mounted_;
};

TEST_F(SafetyTest, AFullFileSystemIsReportedAndLosesNothing) {
  for (const char* size : {"64k", "256k", "512k"}) {
    const SmallDisk disk(directory_ + "/small", size);
    if (!disk.mounted()) GTEST_SKIP() << "only root may mount a small file system: " << std::strerror(errno);
    database_ = directory_ + "/small/results.db";
    const int status = wait_for(start_gather());
    ASSERT_TRUE(WIFEXITED(status)) << size;
    EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::output)) << size;
    expect_sound();
  }
  const SmallDisk disk(directory_ + "/small", "16m");
  EXPECT_EQ(wait_for(start_gather()), 0);
  EXPECT_EQ(number("SELECT count(*) FROM current_attempt"), attempts);
}

TEST_F(SafetyTest, TwoGathersAtOnceGiveWhatOneDoes) {
  ASSERT_EQ(wait_for(start_gather()), 0);
  const std::string rows = gathered();
  remove_database();
  const pid_t one = start_gather();
  const pid_t other = start_gather();
  EXPECT_EQ(wait_for(one), 0);
  EXPECT_EQ(wait_for(other), 0);
  expect_sound();
  EXPECT_EQ(gathered(), rows);
}

TEST_F(SafetyTest, AReaderKnowsWhetherGatherWaitsForIt) {
  gather_all();
  {
    Store store = open_store_readonly(database_);
    EXPECT_TRUE(reads_beside_writer(store));
  }
  { SQLite::Database(database_, SQLite::OPEN_READWRITE).exec("PRAGMA journal_mode = DELETE"); }
  Store store = open_store_readonly(database_);
  EXPECT_FALSE(reads_beside_writer(store));
}

TEST_F(SafetyTest, AReaderAndAWriterDoNotWaitForEachOther) {
  gather_all();
  Store reader = open_store_readonly(database_);
  SQLite::Statement slow(reader.db, "SELECT id FROM event");
  ASSERT_TRUE(slow.executeStep());  // a read transaction is open from here on
  write_attempt(sweep_, {.repeat = attempts + 1});
  Store writer = open_store(database_);
  writer.db.setBusyTimeout(1);
  EXPECT_EQ(gather(sweep_, writer).added, 1);
  const SQLite::Transaction writing(writer.db, SQLite::TransactionBehavior::IMMEDIATE);
  EXPECT_EQ(number("SELECT count(*) FROM attempt"), attempts + 1);
}

}  // namespace
}  // namespace wansweep
