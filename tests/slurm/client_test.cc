// What the client makes of programs that answer oddly. Shell scripts stand in for Slurm's.

#include "slurm/client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

class Client : public testing::Test {
 protected:
  Client() { setenv("PATH", (directory_.path() + ":" + path_).c_str(), 1); }
  ~Client() override { setenv("PATH", path_.c_str(), 1); }

  void program(const std::string& name, const std::string& text) {
    const std::string log = "echo \"${0##*/} $* \" >>" + (directory_ / "calls") + "\n";
    std::filesystem::permissions(write_text(directory_ / name, "#!/bin/bash\n" + log + text + "\n"),
                                 std::filesystem::perms::owner_all);
  }
  std::string calls() const { return read_text(directory_ / "calls"); }
  SubmitAnswer submit(const std::string& sbatch) {
    program("sbatch", sbatch);
    return SlurmClient(5, "").submit("job.sh", "/tmp");
  }

  std::string path_ = std::getenv("PATH");
  TemporaryDirectory directory_;
};

TEST_F(Client, AnIdAmongOtherWordsIsAccepted) {
  const SubmitAnswer answer = submit("echo 'checking account'; echo 1001; echo 'sbatch: charged, 97% left'");
  EXPECT_EQ(answer.kind, SubmitAnswer::Kind::accepted);
  EXPECT_EQ(answer.job_id, 1001);
}

TEST_F(Client, AnAnswerWithoutAnIdLeavesOpenWhetherTheJobWasTaken) {
  const SubmitAnswer answer = submit("printf 'thanks \\033[31m\\n'");
  EXPECT_EQ(answer.kind, SubmitAnswer::Kind::unknown);
  EXPECT_EQ(answer.message, "sbatch printed \"thanks \\e[31m\", which holds no job id");
}

TEST_F(Client, OnlyAClearNoIsARefusal) {
  EXPECT_EQ(submit("echo 'sbatch: error: Batch job submission failed: Invalid account' >&2; exit 1").kind,
            SubmitAnswer::Kind::refused);
  EXPECT_EQ(submit("echo 'sbatch: error: Batch job submission failed: Socket timed out' >&2; exit 1").kind,
            SubmitAnswer::Kind::unknown);
  EXPECT_EQ(submit("echo 1001; echo 'sbatch: error: the wrapper could not write its log' >&2; exit 1").kind,
            SubmitAnswer::Kind::unknown)
      << "it printed an id";
  EXPECT_EQ(submit("kill -9 $$").kind, SubmitAnswer::Kind::unknown);
}

TEST_F(Client, ASlurmThatHangsIsSilentAndNotEmpty) {
  program("squeue", "sleep 30");
  const JobRows rows = SlurmClient(1, "").queue({"ws-a-b"});
  EXPECT_FALSE(rows.answered);
  EXPECT_EQ(rows.problem, "squeue did not answer within 1 s");
}

TEST_F(Client, EveryProgramIsToldTheClusterAndNoneReadsItsVariables) {
  for (const char* name : {"sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo"}) {
    program(name, "env | grep -E '^(SLURM|SBATCH)_(CLUSTERS|PARTITION)=' >>" + (directory_ / "calls") + "; echo 1");
  }
  setenv("SLURM_CLUSTERS", "another", 1);
  setenv("SBATCH_PARTITION", "another", 1);
  SlurmClient client(5, "big");
  client.submit("job.sh", "/tmp");
  client.queue({"t"});
  client.accounting({"t"}, 1'790'000'000);
  client.cancel({"1001"});
  client.show_config();
  client.show_nodes("gpu");
  unsetenv("SLURM_CLUSTERS");
  unsetenv("SBATCH_PARTITION");
  EXPECT_EQ(client.calls(), 6);
  for (const char* name : {"sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo"}) {
    EXPECT_NE(calls().find(std::string(name) + " --clusters=big "), std::string::npos) << name << " in " << calls();
  }
  EXPECT_EQ(calls().find("another"), std::string::npos) << calls();
}

TEST_F(Client, ACancellationThatSlurmRefusesIsAnAnswer) {
  program("scancel", "echo 'scancel: error: Kill job error on job id 5: Access/permission denied' >&2; exit 1");
  const CancelAnswer refused = SlurmClient(5, "").cancel({"5"});
  EXPECT_TRUE(refused.answered);
  EXPECT_NE(refused.problem.find("permission denied"), std::string::npos);
  program("scancel", "echo 'scancel: error: Unable to contact slurm controller (connect failure)' >&2; exit 1");
  EXPECT_FALSE(SlurmClient(5, "").cancel({"5"}).answered);
}

}  // namespace
}  // namespace wansweep
