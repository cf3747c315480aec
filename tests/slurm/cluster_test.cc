// Whole sweeps, also while a part of Slurm is down.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "schema/completion.h"
#include "tests/slurm/slurm_sweep.h"

namespace wansweep::test {
namespace {

std::map<std::string, std::string> digests(const std::string& sweep_directory) {
  std::map<std::string, std::string> digests;
  for (const auto& entry : std::filesystem::directory_iterator(sweep_directory + "/attempts")) {
    const auto completion = read_completion(entry.path());
    digests[entry.path().filename()] = completion ? completion->latents_digest : "";
  }
  return digests;
}

TEST_F(OnSlurm, ASweepHasTheLatentsThatItHasLocallyAndIsGathered) {
  SweepSettings settings;
  settings.matrix = "ranks = [1, 2]\noffload = [\"swap\", \"layerwise\"]";
  const SlurmSweep sweep(settings);
  const Outcome submitted = sweep.submit({"--max-running", "3"});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.out;
  const auto states = sweep.wait(90);
  EXPECT_EQ(states.size(), 4u);
  for (const auto& [attempt, state] : states) EXPECT_EQ(state, "completed") << attempt << "\n" << sweep.status().out;

  const std::string local = sweep.folder() + "/local";
  const Outcome here =
      run_program({WANSWEEP_BIN_DIR "/wansweep", "run", sweep.folder() + "/sweep.toml", "--dir", local});
  ASSERT_EQ(here.exit_code, 0) << here.out;
  EXPECT_EQ(digests(sweep.out()), digests(local));
  const Outcome gathered = run_program({WANSWEEP_BIN_DIR "/wansweep", "gather", sweep.out()});
  EXPECT_EQ(gathered.exit_code, 0) << gathered.out;
  EXPECT_NE(sweep.submit().out.find("0 runs submitted"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists("evaluated"));
}

TEST_F(OnSlurm, RanksThatSrunStartsThroughPmixGiveTheLatentsOfMpirun) {
  SweepSettings settings;
  settings.matrix = "ranks = [2]\noffload = [\"layerwise\"]";
  settings.profile = "launcher = \"srun\"\nmpi = \"pmix\"";
  const SlurmSweep by_srun(settings);
  settings.profile.clear();
  const SlurmSweep by_mpirun(settings);
  for (const SlurmSweep* sweep : {&by_srun, &by_mpirun}) {
    const Outcome submitted = sweep->submit();
    ASSERT_EQ(submitted.exit_code, 0) << submitted.out;
  }
  for (const SlurmSweep* sweep : {&by_srun, &by_mpirun}) {
    EXPECT_EQ(sweep->wait(60).begin()->second, "completed") << sweep->status().out;
  }
  EXPECT_EQ(digests(by_srun.out()), digests(by_mpirun.out()));
}

TEST_F(OnSlurm, NoMoreRunsAtATimeThanIsAskedForWhateverTheShapes) {
  SweepSettings settings;
  settings.runs = 3;
  settings.matrix = "ranks = [1, 2]";  // two arrays
  settings.worker =
      "[ \"${OMPI_COMM_WORLD_RANK:-0}\" = 0 ] || exec sleep 60\n"
      "mkdir \"$out/../../one\" || touch \"$out/../../two\"\nsleep 1\nrmdir \"$out/../../one\"\nexit 12\n";
  const SlurmSweep sweep(settings);
  const Outcome submitted = sweep.submit({"--max-running", "1"});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.out;
  EXPECT_EQ(sweep.wait(90).size(), 6u);
  EXPECT_FALSE(std::filesystem::exists(sweep.out() + "/two"));
}

TEST_F(Outage, AFrozenAccountingHidesNothingThatTheQueueKnows) {
  SweepSettings settings;
  settings.worker = "exit 10\n";
  settings.profile = "command_timeout = 2";
  const SlurmSweep sweep(settings);
  cluster("freeze-dbd");
  EXPECT_EQ(sweep.submit().exit_code, 0);
  EXPECT_EQ(sweep.wait(30).begin()->second, "failed");
  cluster("thaw-dbd");
}

TEST_F(Outage, WithoutAnAnswerStatusSaysWhatItCouldNotLearn) {
  SweepSettings settings;
  // The job ends only when the controller is back, because Slurm itself may take long to report an earlier end (15 s a
  // try).
  settings.worker = "touch \"$out/../../begun\"\nuntil [ -e \"$out/../../back\" ]; do sleep 0.2; done\nexit 10\n";
  settings.profile = "command_timeout = 2";
  const SlurmSweep sweep(settings);
  ASSERT_EQ(sweep.submit().exit_code, 0);
  // A job that still waited would start only after all nodes have come back to the new controller.
  ASSERT_TRUE(sweep.wait_for_file("begun", 60));
  cluster("stop-ctld");
  const Outcome status = sweep.status();
  cluster("start-ctld");
  write_text(sweep.out() + "/back", "");
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_NE(status.out.find("unknown: squeue"), std::string::npos) << status.out;
  EXPECT_EQ(sweep.wait(60).begin()->second, "failed");
}

TEST_F(OnSlurm, AJobThatSlurmHasForgottenIsLost) {
  SweepSettings settings;
  settings.worker = "exit 0\n";
  const SlurmSweep sweep(settings);
  ASSERT_EQ(sweep.submit().exit_code, 0);
  // The submission names another job than the one that Slurm knows, so nobody knows the job that wansweep asks about.
  std::string token;
  for (const auto& entry : std::filesystem::directory_iterator(sweep.out() + "/submissions")) {
    token = entry.path().filename();
  }
  for (const std::string& file :
       {"submissions/" + token + "/intent.json",
        "attempts/" + std::filesystem::path(sweep.attempts()[0]).filename().string() + "/attempt.json"}) {
    std::string text = sweep.text(file);
    for (size_t at = 0; (at = text.find(token, at)) != std::string::npos;)
      text.replace(at, token.size(), "ws-forgotten");
    write_text(sweep.out() + "/" + file, text);
  }
  std::filesystem::rename(sweep.out() + "/submissions/" + token, sweep.out() + "/submissions/ws-forgotten");
  EXPECT_EQ(sweep.wait(30).begin()->second, "lost");
}

TEST_F(LongWait, AThousandMembersAreTrackedWithAQueueCallALook) {
  constexpr int members = 1000;
  const TemporaryDirectory shims;
  std::filesystem::permissions(write_text(shims / "mpirun", "#!/bin/sh\nexit 10\n"), std::filesystem::perms::owner_all);
  // Each Slurm program is wrapped, and adds a line to a file whenever it runs.
  for (const char* program : {"sbatch", "squeue", "sacct", "scontrol", "sinfo", "scancel"}) {
    const std::string shim =
        write_text(shims / program,
                   fmt::format("#!/bin/sh\necho {0} >>'{1}/calls'\nexec /usr/bin/{0} \"$@\"\n", program, shims.path()));
    std::filesystem::permissions(shim, std::filesystem::perms::owner_all);
  }
  SweepSettings settings;
  settings.runs = members;
  settings.environment = fmt::format("PATH = \"{}:{}\"\n", shims.path(), std::getenv("PATH"));
  settings.profile = "poll_seconds = 10\nhost_memory_per_rank = 200";
  const SlurmSweep sweep(settings);
  const std::string before = std::getenv("PATH");
  setenv("PATH", (shims.path() + ":" + before).c_str(), 1);
  const auto start = std::chrono::steady_clock::now();
  const Outcome submitted = sweep.submit({"--max-running", "24"});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.out;
  const Outcome watched = run_program({WANSWEEP_BIN_DIR "/wansweep", "status", sweep.out(), "--watch"});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  setenv("PATH", before.c_str(), 1);
  EXPECT_NE(watched.out.find("1000 failed"), std::string::npos) << watched.out.substr(0, 2000);
  std::ifstream calls(shims / "calls");
  const auto count = std::count(std::istreambuf_iterator<char>(calls), {}, '\n');
  RecordProperty("calls", static_cast<int>(count));
  RecordProperty("seconds", static_cast<int>(seconds));
  EXPECT_LE(static_cast<double>(count), 3 + 2 * (seconds / 10 + 1)) << seconds << " s";
  std::printf("measured: %d members in %.0f s with %d Slurm commands\n", members, seconds, static_cast<int>(count));
}

}  // namespace
}  // namespace wansweep::test
