// Exports made here by the documented schema: the columns that every release has, and those that newer ones add.
#include "orchestrator/imports/nsight_export.h"

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

constexpr const char* export_of_a_rank = R"sql(
CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT);
INSERT INTO StringIds VALUES (1, 'flash_fwd_kernel'), (2, 'sm90_xmma_gemm'), (3, 'ncclDevKernel_SendRecv'),
                             (4, 'denoising_step_1_t996');
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT NULL,
  contextId INTEGER NOT NULL, streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER,
  demangledName INTEGER NOT NULL, shortName INTEGER NOT NULL);
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (2000, 2500, 0, 1, 7, 10, 77, 1, 1), (2500, 2600, 0, 1, 7, 11, 77, 2, 2),
                                              (3000, 3400, 0, 1, 9, 12, 77, 3, 3), (3500, 3900, 0, 1, 7, 13, 77, 2, 2);
CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER NOT NULL, end INTEGER NOT NULL, globalTid INTEGER,
  correlationId INTEGER, nameId INTEGER NOT NULL);
INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1000, 1010, 1, 10, 1), (1020, 1030, 1, 11, 1), (1100, 1110, 1, 12, 1),
                                               (1120, 1130, 1, 13, 1);
CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT NULL,
  bytes INTEGER NOT NULL, copyKind INTEGER NOT NULL);
INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (2100, 2300, 0, 4096, 1), (3100, 3200, 0, 512, 2), (3300, 3310, 0, 8, 8);
CREATE TABLE NVTX_EVENTS (start INTEGER NOT NULL, end INTEGER, eventType INTEGER NOT NULL, text TEXT, textId INTEGER,
  globalTid INTEGER);
INSERT INTO NVTX_EVENTS VALUES (990, 1050, 59, 'denoising_step_0', NULL, 1), (1090, 1200, 59, NULL, 4, 1),
                               (900, 2000, 59, 'predict_noise', NULL, 1), (950, NULL, 34, 'a mark', NULL, 1);
CREATE TABLE TARGET_INFO_SESSION_START_TIME (utcEpochNs INTEGER, utcTime TEXT, localTime TEXT);
INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES (1000000, '', '');
CREATE TABLE TARGET_INFO_SYSTEM_ENV (globalVid INTEGER, devStateName TEXT, name TEXT, nameEnum INTEGER, value TEXT);
INSERT INTO TARGET_INFO_SYSTEM_ENV VALUES (1, '', 'Hostname', 1, 'n7');
)sql";

class NsightExportTest : public testing::Test {
 protected:
  std::string make(const std::string& sql) {
    const std::string file = directory_ / "rank0.sqlite";
    SQLite::Database db(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(sql);
    return file;
  }
  TemporaryDirectory directory_;
  KernelClasses classes_;
};

TEST_F(NsightExportTest, KernelsCopiesAndStepsAreRead) {
  const EngineTrace trace = read_nsight_export(make(export_of_a_rank), classes_);
  EXPECT_EQ(trace.host, "n7");
  ASSERT_EQ(trace.events.size(), 7u);
  const std::vector<EventKind> kinds{EventKind::attention,  EventKind::h2d, EventKind::compute,
                                     EventKind::all_to_all, EventKind::d2h, EventKind::compute,
                                     EventKind::compute};
  for (size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(trace.events[i].kind, kinds[i]) << i;
  EXPECT_EQ(trace.events[1].bytes, 4096);
  EXPECT_EQ(trace.events[0].start_ns, 1'002'000);
  // A step lasts on the device from the first kernel that was launched in its range to the last.
  ASSERT_EQ(trace.steps.size(), 2u);
  EXPECT_EQ(trace.steps[0].start_ns, 1'002'000);
  EXPECT_EQ(trace.steps[0].end_ns, 1'002'600);
  EXPECT_EQ(trace.steps[1].start_ns, 1'003'000);
  EXPECT_EQ(trace.steps[1].timestep, 996);
}

TEST_F(NsightExportTest, TablesThatAreNotThereHadNothingToTell) {
  const EngineTrace trace = read_nsight_export(make("CREATE TABLE NVTX_EVENTS (start INT, end INT, text TEXT);"
                                                    "INSERT INTO NVTX_EVENTS VALUES (5, 9, 'denoising_step_0');"),
                                               classes_);
  EXPECT_TRUE(trace.events.empty());
  ASSERT_EQ(trace.steps.size(), 1u);
  EXPECT_EQ(trace.environment.at("steps_marked_by"), "host");
}

TEST_F(NsightExportTest, WhatIsNoExportOfOneRankIsSaid) {
  const std::string several =
      make(std::string(export_of_a_rank) + "UPDATE CUPTI_ACTIVITY_KIND_KERNEL SET globalPid = 78 WHERE start = 3000;");
  expect_error(ExitCode::bad_input, "holds the kernels of 2 processes; one export for each rank is needed",
               [&] { read_nsight_export(several, classes_); });
  std::filesystem::remove(several);
  const std::string other = make("CREATE TABLE results (x);");
  expect_error(ExitCode::bad_input, "is not an export of Nsight Systems: kernels and NVTX ranges are missing",
               [&] { read_nsight_export(other, classes_); });
  const std::string cut = write_text(directory_ / "cut.sqlite", "SQLite format 3 and no more");
  expect_error(ExitCode::bad_input, "cut.sqlite: is not an export of Nsight Systems that can be read",
               [&] { read_nsight_export(cut, classes_); });
}

}  // namespace
}  // namespace wansweep
