#include "slurm/job_script.h"
#include "base/files.h"
#include "base/shell_quote.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/expect_error.h"
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

TEST(ShellQuote, AShellReadsBackEveryText) {
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
  job.worker_sha256 = std::string(64, 'a');
  job.shape = {2, 8, 4, 16, 250'000, 5400};
  return job;
}

TEST(JobScript, AnArrayWaitsForThoseThatItIsToFollow) {
  JobScript waiting = job();
  waiting.after = {"17", "18"};
  const std::string script = render_job_script(waiting, read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml"));
  EXPECT_NE(script.find("#SBATCH --dependency=singleton,afterany:17,afterany:18\n"), std::string::npos) << script;
}

TEST(JobScript, ForAcesIsTheExpectedText) {
  ClusterProfile profile = read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml");
  profile.account = "123456";
  profile.exclude = {"ac001", "ac002"};
  std::string script = render_job_script(job(), profile);
  script = std::regex_replace(script, std::regex("wansweep:? [0-9][0-9.]*[0-9]( [0-9a-z-]+\\b)?"), "wansweep VERSION");
  const std::string golden = WANSWEEP_SOURCE_DIR "/tests/slurm/aces.sh.golden";
  if (std::getenv("WRITE_GOLDEN") != nullptr) write_text(golden, script);
  EXPECT_EQ(script, read_text(golden)) << "when that is meant: run this with WRITE_GOLDEN=1";
}

TEST(JobScript, ARequestThatSlurmReadsAsNoLimitIsNeverWritten) {
  const ClusterProfile profile = read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml");
  for (const int64_t amount : {int64_t{0}, int64_t{-1}}) {
    JobScript endless = job();
    endless.shape.seconds = amount;
    expect_error(ExitCode::bad_input, "time limit", [&] { render_job_script(endless, profile); });
    JobScript greedy = job();
    greedy.shape.memory_per_node = amount;
    expect_error(ExitCode::bad_input, "memory", [&] { render_job_script(greedy, profile); });
  }
}

TEST(JobScript, WhatAFileOfOthersSaysStaysOnItsLine) {
  ClusterProfile profile = read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml");
  profile.exclude = {"n1\ntouch evaluated"};
  expect_error(ExitCode::bad_input, "exclude", [&] { render_job_script(job(), profile); });
  profile.exclude.clear();
  profile.mpi = "pmix&touch evaluated";
  EXPECT_NE(render_job_script(job(), profile).find("--mpi='pmix&touch evaluated' "), std::string::npos);
}

TEST(JobScript, NamesTheClusterWhereTheProfileDoes) {
  ClusterProfile profile = read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml");
  EXPECT_EQ(render_job_script(job(), profile).find("--clusters"), std::string::npos);
  profile.cluster = "big";
  EXPECT_NE(render_job_script(job(), profile).find("#SBATCH --clusters=big\n"), std::string::npos);
}

// A job script for an array of one member, run on this machine. Its worker says with which modules it was started.
class RunningScript : public testing::Test {
 protected:
  RunningScript() {
    for (const char* folder : {"submission", "attempts", "attempts/run-a1", "bin"}) {
      std::filesystem::create_directory(directory_ / folder);
    }
    write_text(directory_ / "submission/manifest", "run-a1\n");
    executable("bin/mpirun", "shift 4; exec \"$@\"");
    executable("worker", "echo \"with ${LOADEDMODULES:-nothing}\"");
    script_.token = "ws-token";
    script_.sweep = "s";
    script_.submission = directory_ / "submission";
    script_.attempts = directory_ / "attempts";
    script_.worker = directory_ / "worker";
    script_.shape = {1, 1, 0, 1, 100, 60};
    profile_.launcher = RankLauncher::mpirun;
  }

  void executable(const std::string& name, const std::string& text) {
    std::filesystem::permissions(write_text(directory_ / name, "#!/bin/bash\n" + text + "\n"),
                                 std::filesystem::perms::owner_all);
  }

  // Runs the script, puts its output into `output`, and returns its exit code. `site` is bash text that runs before it,
  // as a site's start files do.
  int run(const std::string& site, const std::string& environment = "") {
    write_text(directory_ / "job.sh", render_job_script(script_, profile_));
    const std::string command = "cd " + shell_quote(directory_ / "submission") + " && " + site +
                                "\nexport PATH=../bin:$PATH\n" + environment +
                                " SLURM_JOB_ID=7 SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=0 SLURM_JOB_NODELIST=n1"
                                " bash ../job.sh >slurm-0.out 2>&1\n";
    write_text(directory_ / "outer.sh", command);
    const int status = std::system(("bash " + shell_quote(directory_ / "outer.sh")).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string text(const std::string& name) const { return read_text(directory_ / name); }

  TemporaryDirectory directory_;
  JobScript script_;
  ClusterProfile profile_;
};

TEST_F(RunningScript, SurvivesSiteScriptsThatReadUnsetVariablesAndEndWithAnError) {
  profile_.modules = {"GCC/13.2.0", "CUDA"};
  const int code =
      run("module() { local keep=\"$NOT_SET_ANYWHERE\"; export LOADEDMODULES=\"${LOADEDMODULES:-}:$2/1.0\"; "
          "echo one >scratch; echo two >scratch; set -e; return 3; }\n"
          "export -f module");
  EXPECT_EQ(code, 0) << text("submission/slurm-0.out");
  EXPECT_EQ(text("attempts/run-a1/stdout.log"), "with :GCC/13.2.0/1.0:CUDA/1.0\n");
}

TEST_F(RunningScript, ARunOfAnotherEngineIsStartedByItsCommandAndOthersByTheWorker) {
  script_.engine_scripts = true;
  EXPECT_EQ(run(":"), 0) << text("submission/slurm-0.out");
  EXPECT_EQ(text("attempts/run-a1/stdout.log"), "with nothing\n");
  std::filesystem::remove_all(directory_ / "attempts/run-a1");
  std::filesystem::create_directory(directory_ / "attempts/run-a1");
  executable("attempts/run-a1/command.sh", "echo engine; exit 7");
  EXPECT_EQ(run(":"), 7) << text("submission/slurm-0.out");
  EXPECT_EQ(text("attempts/run-a1/stdout.log"), "engine\n");
}

TEST(JobScript, WithoutOtherEnginesItRunsNoCommandFile) {
  const std::string script = render_job_script(job(), read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml"));
  EXPECT_EQ(script.find("command.sh"), std::string::npos);
}

TEST_F(RunningScript, EndsWhereAModuleIsNotLoadedAndKeepsWhatTheSiteSaid) {
  profile_.modules = {"GCC/99"};
  EXPECT_EQ(run("module() { echo \"Lmod: unknown module $2\" >&2; return 1; }\nexport -f module"), 2);
  EXPECT_EQ(text("submission/slurm-0.out"),
            "Lmod: unknown module GCC/99\nwansweep: module load GCC/99 failed (exit code 1)\n");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "attempts/run-a1/stdout.log"));
}

TEST_F(RunningScript, AJobThatSlurmStartsAgainSaysSoAndRunsNothing) {
  ASSERT_EQ(run(":"), 0);
  EXPECT_EQ(run(":", "SLURM_RESTART_COUNT=1"), 1);
  EXPECT_NE(text("submission/slurm-0.out").find("Slurm requeued this job (restart 1)"), std::string::npos);
  EXPECT_EQ(text("attempts/run-a1/stdout.log"), "with nothing\n");
}

TEST_F(RunningScript, WritesThroughNoLinkThatWasPlanted) {
  write_text(directory_ / "victim", "precious\n");
  for (const char* name : {"job.json", "stdout.log", "environment.txt"}) {
    std::filesystem::create_symlink(directory_ / "victim", directory_ / ("attempts/run-a1/" + std::string(name)));
  }
  run(":");
  EXPECT_EQ(text("victim"), "precious\n");
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

TEST_F(RunningScript, AWorkerInAnImageIsRunByApptainerWithTheFoldersThatItNeeds) {
  executable("bin/apptainer", "printf '%s|' \"$@\" >../apptainer.arguments\nshift 4\nexec \"$@\"");
  executable("bin/worker-of-image", "echo \"$@\"");
  script_.worker = "worker-of-image";
  script_.binds = {directory_ / "it's", "/models/a b"};
  profile_.container = "/images/it's one.sif";
  EXPECT_EQ(run(":"), 0) << text("submission/slurm-0.out");
  EXPECT_EQ(
      text("apptainer.arguments")
          .find("exec|--bind|" + (directory_ / "it's") + ",/models/a b|/images/it's one.sif|worker-of-image|--spec|"),
      0u)
      << text("apptainer.arguments");
  EXPECT_NE(text("attempts/run-a1/stdout.log").find("--out " + (directory_ / "attempts/run-a1")), std::string::npos);
}

TEST(JobScript, AnImageSeesTheGpusWhereThereAreSome) {
  ClusterProfile profile = read_profile(WANSWEEP_SOURCE_DIR "/slurm/aces.toml");
  profile.modules.clear();
  profile.container = "/images/w.sif";
  JobScript in_image = job();
  in_image.binds = {"/scratch/a"};
  EXPECT_NE(render_job_script(in_image, profile)
                .find("--kill-on-bad-exit=1 apptainer exec --nv --bind '/scratch/a' '/images/w.sif' \"$worker\""),
            std::string::npos);
  in_image.binds = {"/scratch/a,b"};
  expect_error(ExitCode::bad_input, "/scratch/a,b: the name holds a comma",
               [&] { render_job_script(in_image, profile); });
}

TEST_F(RunningScript, TheWorkerLearnsTheDigestOfTheOneThatWasSubmitted) {
  executable("worker", "echo \"submitted: ${WANSWEEP_SUBMITTED_WORKER:-unknown}\"");
  script_.worker_sha256 = "abc";
  EXPECT_EQ(run(":"), 0);
  EXPECT_NE(text("attempts/run-a1/stdout.log").find("submitted: abc"), std::string::npos);
}

}  // namespace
}  // namespace wansweep
