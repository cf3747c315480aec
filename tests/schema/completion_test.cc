#include "schema/completion.h"
#include "base/clock.h"
#include "base/sha256.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>

#include "base/error.h"

namespace wansweep {
namespace {

namespace fs = std::filesystem;

class CompletionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "wansweep-completion-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string path(const std::string& name) const { return (fs::path(directory_) / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }
  // Two ranks whose "traces" are short texts: verification only looks at bytes.
  Completion complete() const {
    write("rank-0000.h5", "zero");
    write("rank-0001.h5", "one");
    return {2,
            27,
            std::string(64, 'b'),
            "2026-11-24T02:10:00.123Z",
            "2026-11-24T02:11:00.000Z",
            {{"rank-0000.h5", 27, 100, 28, sha256_file(path("rank-0000.h5"))},
             {"rank-0001.h5", 27, 101, 28, sha256_file(path("rank-0001.h5"))}}};
  }
  std::string directory_;
};

std::string line_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

TEST_F(CompletionTest, ReadsBackWhatWasWritten) {
  const Completion written = complete();
  write_completion(directory_, written);
  const std::optional<Completion> read = read_completion(directory_);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->ranks, 2);
  EXPECT_EQ(read->steps, 27);
  EXPECT_EQ(read->latents_digest, written.latents_digest);
  EXPECT_EQ(read->started_at, written.started_at);
  EXPECT_EQ(read->finished_at, written.finished_at);
  ASSERT_EQ(read->traces.size(), 2u);
  EXPECT_EQ(read->traces[1].file, "rank-0001.h5");
  EXPECT_EQ(read->traces[1].events, 101);
  EXPECT_EQ(read->traces[1].sha256, written.traces[1].sha256);
  EXPECT_EQ(verify_completion(directory_, *read), std::nullopt);
  EXPECT_EQ(files(), 3u);  // no temporary file stays
}

TEST_F(CompletionTest, TheResultIsPartOfTheRecordAndItsDamageOrLossIsNamed) {
  Completion completion = complete();
  write("result.safetensors", "latents");
  completion.result = describe_result(directory_);
  EXPECT_EQ(completion.result->bytes, 7);
  write_completion(directory_, completion);
  const std::optional<Completion> read = read_completion(directory_);
  ASSERT_TRUE(read->result.has_value());
  EXPECT_EQ(read->result->sha256, completion.result->sha256);
  EXPECT_EQ(verify_completion(directory_, *read), std::nullopt);
  write("result.safetensors", "latentz");
  EXPECT_NE(verify_completion(directory_, *read).value().find("result.safetensors: was changed or cut"),
            std::string::npos);
  fs::remove(path("result.safetensors"));
  EXPECT_NE(verify_completion(directory_, *read).value().find("result.safetensors: does not exist"), std::string::npos);
  completion.result->file = "../result.safetensors";
  EXPECT_NE(verify_completion(directory_, completion).value().find("the result is called ../"), std::string::npos);
}

TEST_F(CompletionTest, ARecordOfAWorkerThatDidNotNameItsResultIsStillRead) {
  write_completion(directory_, complete());
  EXPECT_FALSE(read_completion(directory_)->result.has_value());
}

TEST_F(CompletionTest, AbsentFilesAreNoErrors) {
  EXPECT_EQ(read_completion(directory_), std::nullopt);
  EXPECT_EQ(read_failure(directory_), std::nullopt);
}

TEST_F(CompletionTest, AChangedAbsentOrForeignTraceIsNamed) {
  Completion completion = complete();
  write("rank-0001.h5", "One");
  EXPECT_NE(verify_completion(directory_, completion).value().find("rank-0001.h5: was changed or cut"),
            std::string::npos);
  fs::remove(path("rank-0001.h5"));
  EXPECT_NE(verify_completion(directory_, completion).value().find("does not exist"), std::string::npos);
  completion = complete();
  completion.traces[1].file = "../rank-0001.h5";
  EXPECT_NE(verify_completion(directory_, completion).value().find("is called ../rank-0001.h5"), std::string::npos);
  completion.traces.pop_back();
  EXPECT_NE(verify_completion(directory_, completion).value().find("names 1 traces, but the run has 2 ranks"),
            std::string::npos);
}

TEST_F(CompletionTest, TheFirstFailureStays) {
  write_failure(directory_, {3, 10, "rank 3: out of memory", "2026-11-24T02:10:00.123Z"});
  write_failure(directory_, {0, 12, "rank 0: peer lost", "2026-11-24T02:10:01.000Z"});
  const std::optional<Failure> failure = read_failure(directory_);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->rank, 3);
  EXPECT_EQ(failure->exit_code, 10);
  EXPECT_EQ(failure->line, "rank 3: out of memory");
  EXPECT_EQ(files(), 1u);
}

TEST_F(CompletionTest, WhenManyRanksFailAtOnceOneRecordStaysWhole) {
  std::vector<pid_t> children;
  for (int rank = 0; rank < 16; ++rank) {
    const pid_t child = fork();
    if (child == 0) {
      write_failure(directory_, {rank, 1, "rank " + std::to_string(rank), timestamp_now()});
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const std::optional<Failure> failure = read_failure(directory_);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->line, "rank " + std::to_string(failure->rank));
  EXPECT_EQ(files(), 1u);
}

TEST_F(CompletionTest, AFailureLineOfForeignBytesIsStillWritten) {
  write_failure(directory_, {0, 1, "bad \xff byte", "x"});
  EXPECT_EQ(read_failure(directory_)->rank, 0);
}

TEST_F(CompletionTest, AnUnreadableRecordIsOneLine) {
  for (const char* text : {"", "{", "[]", "nonsense", "{}", R"({"format":2})", R"({"format":1,"ranks":"two"})",
                           R"({"format":1,"ranks":-2})"}) {
    write("completed.json", text);
    EXPECT_NE(line_of([&] { read_completion(directory_); }).find("completed.json"), std::string::npos) << text;
  }
  write("failure.json", R"({"format":1,"rank":0,"exit_code":1.5})");
  EXPECT_NE(line_of([&] { read_failure(directory_); }).find("exit_code is 1.5"), std::string::npos);
}

TEST_F(CompletionTest, ADirectoryThatCannotBeWrittenIsAnOutputError) {
  try {
    write_completion(path("none"), complete());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::output);
  }
}

TEST(Sha256, MatchesThePublishedExamples) {
  EXPECT_EQ(sha256("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(TimestampNow, IsUtcWithMilliseconds) {
  EXPECT_TRUE(std::regex_match(timestamp_now(), std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
}

}  // namespace
}  // namespace wansweep
