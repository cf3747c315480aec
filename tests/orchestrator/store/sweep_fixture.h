// A sweep of synthetic attempts in a temporary folder, and its database.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "orchestrator/store/gather.h"
#include "orchestrator/store/query/query.h"
#include "tests/orchestrator/store/synthetic_attempt.h"

namespace wansweep {

namespace fs = std::filesystem;

// A sweep's folder that is filled with synthetic attempts, gathered, and asked.
class SweepTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "wansweep-gather-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    sweep_ = directory_ + "/sweep";
    database_ = directory_ + "/results.db";
    fs::create_directories(sweep_ + "/attempts");
  }
  void TearDown() override { fs::remove_all(directory_); }

  GatherReport gather_all(int readers = 2) const {
    Store store = open_store(database_);
    return gather(sweep_, store, {readers});
  }
  void remove_database() const {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) fs::remove(database_ + end);
  }
  Table ask(const std::string& sql) const {
    Store store = open_store_readonly(database_);
    return run_query(store, sql);
  }
  int64_t number(const std::string& sql) const { return std::get<int64_t>(ask(sql).rows.at(0).at(0)); }
  std::string text(const std::string& sql) const { return std::get<std::string>(ask(sql).rows.at(0).at(0)); }
  // All rows of all tables, without the times of gathering.
  std::string contents() const {
    std::string all;
    for (const char* table : {"sweep", "run", "setting", "rank", "step", "event", "memory", "step_summary", "traffic",
                              "environment", "step_part", "traffic_rate", "event_spread", "largest_event", "power"}) {
      all += to_csv(ask(std::string("SELECT * FROM ") + table));
    }
    return all + to_csv(ask("SELECT id, run_id, n, state, complete, problem, latents_digest FROM attempt"));
  }

  std::string directory_, sweep_, database_;
};

}  // namespace wansweep
