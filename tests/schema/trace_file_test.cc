#include "schema/trace_file.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "base/error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class TraceFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "wansweep-trace-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string file(const std::string& name = "rank-0000.h5") const { return (directory_ / name).string(); }
  fs::path directory_;
};

constexpr int events_a_step = 137;

// Every value follows from the step and the row, so that a wrong one is seen wherever it comes from.
TraceRows rows_of_step(int step) {
  TraceRows rows;
  const int64_t start = 1'000'000'000 + step * int64_t{1'000'000};
  for (int i = 0; i < events_a_step; ++i) {
    rows.events.push_back({step, static_cast<int16_t>(i % 2), static_cast<int16_t>(i % 40),
                           static_cast<EventKind>(i % 8), i % 8 == 6 ? StallCause::weights : StallCause::none,
                           static_cast<StreamId>(i % 3), static_cast<uint8_t>(1 + i % 2), start + i * 1000,
                           start + i * 1000 + 500, i * 7});
  }
  rows.memory.push_back({step, start + 1, step * 10, step * 11, step * 12, step * 13});
  rows.steps.push_back({step, step < 3 ? 1 : 2, 1000 - step, 1.0f / static_cast<float>(step), start, start + 900'000});
  return rows;
}

void expect_steps(const TraceFile& trace, size_t steps) {
  ASSERT_EQ(trace.rows.steps.size(), steps);
  ASSERT_GE(trace.rows.events.size(), steps * events_a_step);
  ASSERT_GE(trace.rows.memory.size(), steps);
  for (size_t s = 0; s < steps; ++s) {
    const TraceRows want = rows_of_step(static_cast<int>(s) + 1);
    const StepRow& got = trace.rows.steps[s];
    ASSERT_EQ(got.step, want.steps[0].step);
    ASSERT_EQ(got.expert, want.steps[0].expert);
    ASSERT_EQ(got.timestep, want.steps[0].timestep);
    ASSERT_EQ(got.sigma, want.steps[0].sigma);
    ASSERT_EQ(got.start_ns, want.steps[0].start_ns);
    ASSERT_EQ(got.end_ns, want.steps[0].end_ns);
    ASSERT_EQ(trace.rows.memory[s].host_peak, want.memory[0].host_peak);
    for (size_t i = 0; i < events_a_step; ++i) {
      const EventRow& e = trace.rows.events[s * events_a_step + i];
      const EventRow& w = want.events[i];
      ASSERT_EQ(
          std::tie(e.step, e.forward, e.block, e.kind, e.cause, e.stream, e.expert, e.start_ns, e.end_ns, e.bytes),
          std::tie(w.step, w.forward, w.block, w.kind, w.cause, w.stream, w.expert, w.start_ns, w.end_ns, w.bytes));
    }
  }
}

std::string error_of(const std::string& file) {
  try {
    read_trace(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "";
}

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::string& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

TEST_F(TraceFileTest, ReadsBackAllThatWasWritten) {
  TraceWriter writer(file(), R"({"steps":3})", R"({"host":"ä"})");
  writer.append({{}, {}, {}, {{0, 100, -5, 40}}});
  for (int step = 1; step <= 3; ++step) writer.append(rows_of_step(step));
  writer.append({{}, {}, {}, {{1, 900, -7, 41}}});
  writer.set_digest(std::string(64, 'a'));
  writer.close();

  const TraceFile trace = read_trace(file());
  EXPECT_EQ(trace.spec_json, R"({"steps":3})");
  EXPECT_EQ(trace.environment_json, R"({"host":"ä"})");
  EXPECT_EQ(trace.digest, std::string(64, 'a'));
  ASSERT_EQ(trace.rows.clock.size(), 2u);
  EXPECT_EQ(trace.rows.clock[1].at_end, 1);
  EXPECT_EQ(trace.rows.clock[1].offset_ns, -7);
  expect_steps(trace, 3);
  const std::vector<StepRow> steps = read_trace_steps(file());
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[2].end_ns, trace.rows.steps[2].end_ns);
}

TEST_F(TraceFileTest, AScheduleIsThereIfItWasGiven) {
  TraceWriter(file(), "{}", "{}", R"({"slots":3})").close();
  EXPECT_EQ(read_trace(file()).schedule_json, R"({"slots":3})");
  std::filesystem::remove(file());
  TraceWriter(file(), "{}", "{}").close();
  EXPECT_EQ(read_trace(file()).schedule_json, "");
}

TEST_F(TraceFileTest, AKilledWriterLosesNoFlushedStep) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 40; ++trial) {
    const std::string name = file("killed-" + std::to_string(trial) + ".h5");
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
      TraceWriter writer(name, "{}", "{}");
      for (int step = 1;; ++step) {
        writer.append(rows_of_step(step));
        if (write(pipes[1], &step, sizeof step) != sizeof step) _exit(1);
      }
    }
    close(pipes[1]);
    int flushed = 0;
    ASSERT_EQ(read(pipes[0], &flushed, sizeof flushed), static_cast<ssize_t>(sizeof flushed));
    usleep(random() % 30'000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(pipes[0], &flushed, sizeof flushed) > 0) continue;
    close(pipes[0]);
    const TraceFile trace = read_trace(name);
    const size_t steps = trace.rows.steps.size();
    ASSERT_GE(steps, static_cast<size_t>(flushed));
    ASSERT_LE(steps, static_cast<size_t>(flushed) + 1);
    expect_steps(trace, steps);
  }
}

TEST_F(TraceFileTest, AnotherProcessReadsALiveFile) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const pid_t child = fork();
  if (child == 0) {
    TraceWriter writer(file(), "{}", "{}");
    for (int step = 1; step <= 400; ++step) {
      writer.append(rows_of_step(step));
      if (step == 1 && write(pipes[1], &step, sizeof step) != sizeof step) _exit(1);
    }
    writer.close();
    _exit(0);
  }
  int first = 0;
  ASSERT_EQ(read(pipes[0], &first, sizeof first), static_cast<ssize_t>(sizeof first));
  size_t seen = 0;
  int status = 0;
  bool ended = false;
  while (!ended) {
    ended = waitpid(child, &status, WNOHANG) == child;
    const TraceFile trace = read_trace(file());
    ASSERT_GE(trace.rows.steps.size(), seen);
    seen = trace.rows.steps.size();
    expect_steps(trace, seen);
  }
  EXPECT_EQ(status, 0);
  EXPECT_EQ(seen, 400u);
  close(pipes[0]);
  close(pipes[1]);
}

TEST_F(TraceFileTest, ACutFileIsAnErrorOrCorrectRows) {
  const std::string closed = file("closed.h5");
  const std::string killed = file("killed.h5");
  {
    TraceWriter writer(closed, "{}", "{}");
    for (int step = 1; step <= 60; ++step) writer.append(rows_of_step(step));
    writer.close();
  }
  const pid_t child = fork();
  if (child == 0) {
    TraceWriter writer(killed, "{}", "{}");
    for (int step = 1; step <= 60; ++step) writer.append(rows_of_step(step));
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  for (const std::string& whole : {closed, killed}) {
    const std::string bytes = bytes_of(whole);
    ASSERT_GT(bytes.size(), 10'000u);
    int with_rows = 0;  // number of cut files that still had rows
    for (size_t length = 0; length < bytes.size(); length += length < 8000 ? 61 : 2999) {
      const std::string cut = file("cut.h5");
      write_bytes(cut, bytes.substr(0, length));
      try {
        const TraceFile trace = read_trace(cut);
        expect_steps(trace, trace.rows.steps.size());
        if (!trace.rows.steps.empty()) ++with_rows;
      } catch (const Error& error) {
        ASSERT_NE(std::string(error.what()).find(cut), std::string::npos);
      }
    }
    EXPECT_GT(with_rows, 0) << whole;
    EXPECT_EQ(read_trace(whole).rows.steps.size(), 60u);
  }
}

TEST_F(TraceFileTest, GarbageIsOneLine) {
  std::mt19937 random(3);
  std::string noise(100'000, '\0');
  std::generate(noise.begin(), noise.end(), [&] { return static_cast<char>(random()); });
  write_bytes(file(), noise);
  EXPECT_NE(error_of(file()).find("is not a wansweep trace"), std::string::npos);
  write_bytes(file(), "");
  EXPECT_NE(error_of(file()), "");
  EXPECT_NE(error_of(file("absent.h5")).find("No such file"), std::string::npos);
  EXPECT_NE(error_of(directory_.string()).find("is not a regular file"), std::string::npos);
}

TEST_F(TraceFileTest, FlippedBytesNeverCrashTheReader) {
  {
    TraceWriter writer(file(), "{}", "{}");
    for (int step = 1; step <= 4; ++step) writer.append(rows_of_step(step));
    writer.close();
  }
  const std::string bytes = bytes_of(file());
  std::mt19937 random(11);
  int refused = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::string changed = bytes;
    for (int i = 0; i < 20; ++i)
      changed[random() % std::min<size_t>(changed.size(), 12'000)] ^= static_cast<char>(random());
    write_bytes(file("flipped.h5"), changed);
    try {
      EXPECT_LE(read_trace(file("flipped.h5")).rows.steps.size(), 4u);
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), ExitCode::bad_input) << error.what();
      EXPECT_NE(std::string(error.what()).find("flipped.h5: "), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(refused, 100) << "bytes are flipped where it matters";
}

TEST_F(TraceFileTest, AnHdf5FileOfSomeoneElseIsNamed) {
  const hid_t other = H5Fcreate(file().c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(other, 0);
  H5Fclose(other);
  EXPECT_NE(error_of(file()).find("no format attribute"), std::string::npos);
}

TEST_F(TraceFileTest, WhatIsNotAFileOrTooLargeIsRefusedUnread) {
  std::filesystem::create_symlink("/dev/zero", file("zero.h5"));
  EXPECT_NE(error_of(file("zero.h5")).find("is not a regular file"), std::string::npos);
  ASSERT_EQ(mkfifo(file("pipe.h5").c_str(), 0600), 0);
  EXPECT_NE(error_of(file("pipe.h5")).find("is not a regular file"), std::string::npos);
  std::filesystem::create_symlink("loop.h5", file("loop.h5"));
  EXPECT_NE(error_of(file("loop.h5")).find("symbolic links"), std::string::npos);
  { TraceWriter(file("huge.h5"), "{}", "{}").close(); }
  ASSERT_EQ(truncate(file("huge.h5").c_str(), most_trace_bytes + 1), 0);
  EXPECT_NE(error_of(file("huge.h5")).find("a trace has at most"), std::string::npos);
}

TEST_F(TraceFileTest, ValuesThatAreNotFiniteAreCountedWhereTheWorkerDid) {
  {
    TraceWriter writer(file(), "{}", "{}");
    for (int step = 1; step <= 3; ++step) {
      TraceRows rows = rows_of_step(step);
      rows.nonfinite.push_back({step, step * 5});
      writer.append(rows);
    }
    writer.close();
  }
  const TraceFile trace = read_trace(file());
  ASSERT_EQ(trace.rows.nonfinite.size(), 3u);
  EXPECT_EQ(trace.rows.nonfinite[2].step, 3);
  EXPECT_EQ(trace.rows.nonfinite[2].values, 15);
}

TEST_F(TraceFileTest, PowerIsThereWhereTheDeviceTellsIt) {
  {
    TraceWriter writer(file(), "{}", "{}");
    for (int step = 1; step <= 2; ++step) {
      TraceRows rows = rows_of_step(step);
      if (step == 1) rows.power.push_back({0, 5, 1'000'000, 90'000, 345, 31});
      rows.power.push_back({step, 10 * step, 1'000'000 + 3'500'000 * step, 698'000, 1395, 66});
      writer.append(rows);
    }
    writer.close();
  }
  const std::vector<PowerRow> power = read_trace(file()).rows.power;
  ASSERT_EQ(power.size(), 3u);
  EXPECT_EQ(power[0].step, 0);
  EXPECT_EQ(power[0].temperature_c, 31);
  EXPECT_EQ(power[2].step, 2);
  EXPECT_EQ(power[2].time_ns, 20);
  EXPECT_EQ(power[2].energy_mj, 8'000'000);
  EXPECT_EQ(power[2].power_mw, 698'000);
  EXPECT_EQ(power[2].sm_clock_mhz, 1395);
}

// Older traces lack these tables.
TEST_F(TraceFileTest, ATraceOfTheFirstFormatIsRead) {
  {
    TraceWriter writer(file(), "{}", "{}");
    writer.append(rows_of_step(1));
    writer.close();
  }
  const hid_t id = H5Fopen(file().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(id, "format", H5P_DEFAULT);
  const int older = 1;
  ASSERT_GE(H5Awrite(attribute, H5T_NATIVE_INT, &older), 0);
  H5Aclose(attribute);
  ASSERT_GE(H5Ldelete(id, "nonfinite", H5P_DEFAULT), 0);
  ASSERT_GE(H5Ldelete(id, "power", H5P_DEFAULT), 0);
  H5Fclose(id);
  const TraceFile trace = read_trace(file());
  EXPECT_EQ(trace.format, 1);
  EXPECT_TRUE(trace.rows.nonfinite.empty());
  EXPECT_TRUE(trace.rows.power.empty());
  expect_steps(trace, 1);
}

TEST_F(TraceFileTest, ANewerFormatIsRefused) {
  { TraceWriter(file(), "{}", "{}").close(); }
  const hid_t id = H5Fopen(file().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(id, "format", H5P_DEFAULT);
  const int newer = 3;
  ASSERT_GE(H5Awrite(attribute, H5T_NATIVE_INT, &newer), 0);
  H5Aclose(attribute);
  H5Fclose(id);
  EXPECT_NE(error_of(file()).find("has format 3; this wansweep reads 1 to 2"), std::string::npos);
}

TEST_F(TraceFileTest, AMissingTableIsNamed) {
  { TraceWriter(file(), "{}", "{}").close(); }
  const hid_t id = H5Fopen(file().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  ASSERT_GE(H5Ldelete(id, "events", H5P_DEFAULT), 0);
  H5Fclose(id);
  EXPECT_NE(error_of(file()).find("no /events"), std::string::npos);
}

TEST_F(TraceFileTest, RowsThatContradictEachOtherAreRefused) {
  const auto trace_with = [&](const std::string& name, const TraceRows& rows) {
    TraceWriter writer(file(name), "{}", "{}");
    writer.append(rows);
    writer.close();
    return error_of(file(name));
  };
  TraceRows rows = rows_of_step(1);
  rows.events[2].end_ns = rows.events[2].start_ns - 1;
  EXPECT_NE(trace_with("a.h5", rows).find("/events row 3 ends before it starts"), std::string::npos);
  rows = rows_of_step(1);
  rows.events[5].kind = static_cast<EventKind>(9);
  EXPECT_NE(trace_with("b.h5", rows).find("/events row 6 has kind 9"), std::string::npos);
  rows = rows_of_step(1);
  rows.steps[0].end_ns = 0;
  EXPECT_NE(trace_with("c.h5", rows).find("/steps row 1 ends before it starts"), std::string::npos);
  rows = rows_of_step(1);
  rows.steps.push_back(rows.steps[0]);
  EXPECT_NE(trace_with("d.h5", rows).find("steps must ascend"), std::string::npos);
}

TEST_F(TraceFileTest, AnExistingTraceIsNeverOverwritten) {
  { TraceWriter(file(), R"({"first":1})", "{}").close(); }
  EXPECT_THROW(TraceWriter(file(), "{}", "{}"), Error);
  EXPECT_EQ(read_trace(file()).spec_json, R"({"first":1})");
  EXPECT_THROW(TraceWriter(file("none/rank-0000.h5"), "{}", "{}"), Error);
}

TEST_F(TraceFileTest, AFullFileSystemIsAnOutputErrorAndKeepsWhatWasFlushed) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{400'000, 400'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      TraceWriter writer(file(), "{}", "{}");
      for (int step = 1; step <= 1000; ++step) writer.append(rows_of_step(step));
    } catch (const Error& error) {
      _exit(error.code() == ExitCode::output ? 13 : 2);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 13);
  try {
    const TraceFile trace = read_trace(file());
    expect_steps(trace, trace.rows.steps.size());
  } catch (const Error&) {
  }
}

TEST(TraceFileName, HasFourDigits) {
  EXPECT_EQ(trace_file_name(7), "rank-0007.h5");
  EXPECT_EQ(name_of(EventKind::switch_experts), "switch");
  EXPECT_EQ(name_of(StallCause::host), "host");
  EXPECT_EQ(name_of(StreamId::comm), "comm");
}

}  // namespace
}  // namespace wansweep
