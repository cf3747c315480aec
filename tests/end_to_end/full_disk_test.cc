// A disk that fills up, at the start of a trace or in the middle of the loop while copies are under way: exit code 13,
// one line that names the file, and no crash.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/exit_codes.h"
#include "tests/end_to_end/worker_run.h"

namespace wansweep::test {
namespace {

// A file system in memory of a few kilobytes.
class SmallDisk {
 public:
  explicit SmallDisk(int kilobytes) : path_(make_directory("disk")) {
    const std::string size = "size=" + std::to_string(kilobytes) + "k";
    mounted_ = mount("none", path_.c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (!mounted_) why_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  std::string why() const { return why_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
  bool mounted_ = false;
  std::string why_;
};

class FullDisk : public testing::Test {
 protected:
  void expect_output_error(int ranks, int kilobytes, const std::vector<std::string>& more) {
    const SmallDisk disk(kilobytes);
    if (!disk.mounted()) GTEST_SKIP() << "no file system can be mounted here: " << disk.why();
    std::vector<std::string> arguments = reference_arguments("shift12");
    arguments.insert(arguments.end(), more.begin(), more.end());
    const WorkerResult run = run_worker(ranks, arguments, disk / "out");
    EXPECT_EQ(run.exit_code, static_cast<int>(ExitCode::output)) << run.err;
    EXPECT_NE(run.err.find("rank-000"), std::string::npos) << run.err;
    const bool says_why =
        run.err.find("full") != std::string::npos || run.err.find("No space left") != std::string::npos;
    EXPECT_TRUE(says_why) << run.err;
    const auto lines = std::count(run.err.begin(), run.err.end(), '\n');
    EXPECT_GE(lines, 1) << run.err;
    EXPECT_LE(lines, ranks) << run.err;  // ranks that fail at the same moment each say so
    EXPECT_FALSE(std::filesystem::exists(run.out + "/completed.json"));
  }
};

TEST_F(FullDisk, AtTheStartOfATraceEndsTheRunInOrder) {
  expect_output_error(1, 4, {"--offload", "resident"});
  expect_output_error(2, 8, {"--offload", "resident"});
}

TEST_F(FullDisk, InTheMiddleOfTheLoopWaitsForTheCopiesUnderWay) {
  expect_output_error(1, 60, {"--offload", "layerwise", "--link-bandwidth", "0.02"});
  expect_output_error(2, 120, {"--offload", "layerwise", "--link-bandwidth", "0.02"});
}

}  // namespace
}  // namespace wansweep::test
