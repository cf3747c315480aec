#include "slurm/job_script.h"
#include "base/files.h"
#include "base/shell_quote.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

std::string read_text(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

const std::string hostile = "it's a \"$(touch evaluated)\" `touch evaluated` \\ %j\nsecond line; touch evaluated";

TEST(ShellQuote, AShellReadsBackWhateverItWas) {
  const TemporaryDirectory directory;
  for (const std::string& text :
       {std::string(), std::string("plain"), hostile, std::string("'"), std::string("''\\'")}) {
    const std::string script = directory / "script";
    std::ofstream(script) << "printf %s " << shell_quote(text) << " >" << shell_quote(directory / "out");
    ASSERT_EQ(std::system(("cd " + shell_quote(directory / "") + " && sh script").c_str()), 0);
    EXPECT_EQ(read_text(directory / "out"), text);
    EXPECT_NE(access((directory / "evaluated").c_str(), F_OK), 0) << text;
  }
}

JobScript job() {
  JobScript job;
  job.token = "ws-1f0c93ab-5e0d41c7";
  job.sweep = "offload";
  job.submission = "/scratch/user/me/out/offload/submissions/ws-1f0c93ab-5e0d41c7";
  job.attempts = "/scratch/user/me/out/offload/attempts";
  job.worker = "/home/me/wansweep/build/release/bin/wansweep-worker";
  job.count = 24;
  job.running = 4;
  job.shape = {2, 8, 4, 16, 250'000, 5400};
  return job;
}

TEST(JobScript, AnArrayWaitsForThoseThatItIsToFollow) {
  JobScript waiting = job();
  waiting.after = {"17", "18"};
  const std::string script = render_job_script(waiting, read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml"));
  EXPECT_NE(script.find("#SBATCH --dependency=singleton,afterany:17,afterany:18\n"), std::string::npos) << script;
}

TEST(JobScript, ForAcesIsTheGoldenOne) {
  ClusterProfile profile = read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml");
  profile.account = "123456";
  profile.exclude = {"ac001", "ac002"};
  std::string script = render_job_script(job(), profile);
  script = std::regex_replace(script, std::regex("wansweep:? [0-9][0-9.]*[0-9]( [0-9a-z-]+\\b)?"), "wansweep VERSION");
  const std::string golden = WANSWEEP_SOURCE_DIR "/tests/slurm/aces.sh.golden";
  if (std::getenv("WRITE_GOLDEN") != nullptr) write_text(golden, script);
  EXPECT_EQ(script, read_text(golden)) << "when that is meant: run this with WRITE_GOLDEN=1";
}

TEST(JobScript, HostileSettingsStayDataAndItIsStillAScript) {
  const TemporaryDirectory directory;
  ClusterProfile profile = read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml");
  profile.modules = {hostile};
  profile.environment = {{"NAME", hostile}};
  profile.scratch = hostile;
  JobScript hostile_job = job();
  hostile_job.sweep = hostile_job.submission = hostile_job.attempts = hostile_job.worker = hostile;
  const std::string script = directory / "job.sh";
  std::ofstream(script) << render_job_script(hostile_job, profile);
  EXPECT_EQ(std::system(("bash -n " + shell_quote(script)).c_str()), 0);
  EXPECT_NE(std::system(("cd " + shell_quote(directory / "") + " && bash job.sh >/dev/null 2>&1").c_str()), 0);
  EXPECT_NE(access((directory / "evaluated").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace wansweep
