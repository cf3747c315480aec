#include "worker/device/host_capacity.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "base/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

constexpr int64_t no_limit = std::numeric_limits<int64_t>::max();

class Cgroups : public testing::Test {
 protected:
  void belong_to(const std::string& lines) { put("proc/self/cgroup", lines); }
  void put(const std::string& file, const std::string& text) {
    const std::string path = root_ / file;
    make_directories(std::filesystem::path(path).parent_path().string());
    write_text(path, text);
  }
  void limit(const std::string& group, const std::string& most, const std::string& used, int cache = 0) {
    put("sys/fs/cgroup" + group + "/memory.max", most);
    put("sys/fs/cgroup" + group + "/memory.current", used);
    put("sys/fs/cgroup" + group + "/memory.stat", "anon 1\ninactive_file " + std::to_string(cache) + "\nother 2\n");
  }
  int64_t left() const { return left_in_cgroups(root_.path()); }

  TemporaryDirectory root_;
};

TEST_F(Cgroups, ALimitOnAnAncestorCounts) {
  belong_to("0::/slurm/job_7/step_0\n");
  limit("/slurm/job_7/step_0", "max", "500");
  limit("/slurm/job_7", "4000", "1000");
  limit("/slurm", "max", "9000");
  EXPECT_EQ(left(), 3000);
}

TEST_F(Cgroups, TheLeastOfAllLevelsCounts) {
  belong_to("0::/user/session\n");
  limit("/user", "2000", "1500");
  limit("/user/session", "9000", "1000");
  EXPECT_EQ(left(), 500);
  limit("/user/session", "1100", "1000");
  EXPECT_EQ(left(), 100);
}

TEST_F(Cgroups, CacheThatWouldBeGivenUpCountsAsLeft) {
  belong_to("0::/job\n");
  limit("/job", "2000", "1900", 700);
  EXPECT_EQ(left(), 800);
}

TEST_F(Cgroups, InAContainerTheLimitOfTheRootCountsWhereTheHostsGroupIsMissing) {
  belong_to("0::/docker/4f5e/payload\n");
  limit("", "3000", "1000");
  EXPECT_EQ(left(), 2000);
}

TEST_F(Cgroups, VersionOneIsReadWithItsAncestorsToo) {
  belong_to("5:cpu,cpuacct:/elsewhere\n4:memory:/slurm/uid_1/job_7\n0::/init\n");
  const std::string job = "sys/fs/cgroup/memory/slurm/uid_1";
  put(job + "/memory.limit_in_bytes", "5000");
  put(job + "/memory.usage_in_bytes", "2000");
  put(job + "/memory.stat", "inactive_file 1\ntotal_inactive_file 30\n");
  put(job + "/job_7/memory.limit_in_bytes", "9223372036854771712");
  put(job + "/job_7/memory.usage_in_bytes", "10");
  EXPECT_EQ(left(), 3030);
}

TEST_F(Cgroups, WithoutALimitLeaveAllMemoryFree) {
  EXPECT_EQ(left(), no_limit);
  belong_to("0::/job\n");
  limit("/job", "max", "12");
  EXPECT_EQ(left(), no_limit);
}

class DeclaredHostMemory : public testing::Test {
 protected:
  void declare(const char* text) { setenv("WANSWEEP_HOST_MEMORY", text, 1); }
  void TearDown() override { unsetenv("WANSWEEP_HOST_MEMORY"); }
};

TEST_F(DeclaredHostMemory, IsThatOfTheHostAndSharedByItsRanks) {
  declare("16");
  EXPECT_EQ(host_memory_of_rank(1), int64_t{16} << 30);
  EXPECT_EQ(host_memory_of_rank(4), int64_t{4} << 30);
  EXPECT_EQ(host_memory_left(4, int64_t{1} << 30), int64_t{3} << 30);
  EXPECT_EQ(host_memory_left(4, int64_t{5} << 30), 0);
}

TEST_F(DeclaredHostMemory, MustBeANumberAboveZero) {
  for (const char* text : {"", "lots", "0", "-3", "16GiB", " 16", "inf", "nan", "1e300"}) {
    declare(text);
    expect_error(ExitCode::bad_input, std::string("WANSWEEP_HOST_MEMORY is \"") + text + "\"",
                 [] { host_memory_of_rank(1); });
  }
}

}  // namespace
}  // namespace wansweep
