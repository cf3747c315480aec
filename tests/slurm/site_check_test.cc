// Whether a job starts with what a profile loads (`cluster check --job`), and a worker that was replaced before it did.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/files.h"
#include "base/sha256.h"
#include "tests/slurm/slurm_sweep.h"

namespace wansweep::test {
namespace {

class SiteCheck : public OnSlurm {};

// The profile asks for no GPU, since the tests' worker may be built without CUDA.
constexpr const char* without_gpu = "partition = \"pair\"\ngres = \"\"";

SweepSettings real_worker(const std::string& profile) {
  SweepSettings settings;
  settings.profile = profile;
  return settings;
}

TEST_F(SiteCheck, AProfileThatLoadsEnoughRunsAJobAndSaysOnWhat) {
  const SlurmSweep sweep(real_worker(without_gpu));
  const Outcome check = run_program({WANSWEEP_BIN_DIR "/wansweep", "cluster", "check", sweep.folder() + "/cluster.toml",
                                     "--job", "--dir", sweep.folder() + "/check"});
  EXPECT_EQ(check.exit_code, 0) << check.out;
  for (const char* said : {"ranks: 2 started and found each other", "MPI: Open MPI", "(cpu)", "HDF5: 1.",
                           "the worker starts with the modules of the profile"}) {
    EXPECT_NE(check.out.find(said), std::string::npos) << said << " in " << check.out;
  }
}

TEST_F(SiteCheck, AProfileThatLoadsTooLittleSaysWhatFailed) {
  const SlurmSweep sweep(real_worker(without_gpu));
  const std::string worker =
      write_text(sweep.folder() + "/broken", "#!/bin/sh\necho 'libhdf5.so.200: not found' >&2; exit 127\n");
  std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
  const Outcome check = run_program({WANSWEEP_BIN_DIR "/wansweep", "cluster", "check", sweep.folder() + "/cluster.toml",
                                     "--job", "--dir", sweep.folder() + "/check", "--worker", worker});
  EXPECT_EQ(check.exit_code, 17) << check.out;
  EXPECT_NE(check.out.find("failed: failed: "), std::string::npos) << check.out;
  EXPECT_NE(check.out.find("next: wansweep logs "), std::string::npos) << check.out;
}

TEST_F(SiteCheck, AProbeRunsAsAJobAndItsRecordBecomesTheMachinesFile) {
  SweepSettings settings = real_worker(without_gpu);
  settings.matrix = "ranks = [1, 2]";
  const SlurmSweep sweep(settings);
  const std::string file = sweep.folder() + "/machine.toml";
  const Outcome probe =
      run_program({WANSWEEP_BIN_DIR "/wansweep", "probe", sweep.folder() + "/sweep.toml", "--cluster",
                   sweep.folder() + "/cluster.toml", "--dir", sweep.folder() + "/probe", "--seconds", "8", "-o", file});
  EXPECT_EQ(probe.exit_code, 0) << probe.out;
  EXPECT_NE(probe.out.find("machine cluster as it was measured now"), std::string::npos) << probe.out;
  const std::string text = read_text(file);
  EXPECT_NE(text.find("source = \"probe\""), std::string::npos) << text;
  EXPECT_NE(text.find("gpus_per_node = 2"), std::string::npos) << text;
}

TEST_F(SiteCheck, AProbeThatFailsAsAJobLeavesNoFile) {
  const SlurmSweep sweep(real_worker(without_gpu));
  const std::string worker = write_text(sweep.folder() + "/broken", "#!/bin/sh\necho 'no' >&2; exit 127\n");
  std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
  const std::string file = sweep.folder() + "/machine.toml";
  const Outcome probe = run_program({WANSWEEP_BIN_DIR "/wansweep", "probe", sweep.folder() + "/sweep.toml", "--cluster",
                                     sweep.folder() + "/cluster.toml", "--dir", sweep.folder() + "/probe", "--worker",
                                     worker, "-o", file});
  EXPECT_EQ(probe.exit_code, 17) << probe.out;
  EXPECT_NE(probe.out.find("machine.toml is not written"), std::string::npos) << probe.out;
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(SiteCheck, AWorkerThatWasReplacedBeforeItsStartIsNotedInTheDatabase) {
  SweepSettings settings = real_worker(without_gpu);
  settings.runs = 2;
  settings.matrix = "ranks = [1]";
  const SlurmSweep sweep(settings);
  const std::string worker = sweep.folder() + "/its-worker";
  std::filesystem::copy_file(WANSWEEP_BIN_DIR "/wansweep-worker", worker);
  // Both runs wait for a node that is down, so that the worker can be replaced before one of them starts.
  run_program({"scontrol", "update", "NodeName=n5,n6", "State=DRAIN", "Reason=test"});
  const Outcome submitted =
      run_program({WANSWEEP_BIN_DIR "/wansweep", "submit", sweep.folder() + "/sweep.toml", "--cluster",
                   sweep.folder() + "/cluster.toml", "--dir", sweep.folder() + "/out", "--worker", worker});
  std::filesystem::rename(worker, worker + ".old");
  std::filesystem::copy_file(worker + ".old", worker);
  std::ofstream(worker, std::ios::binary | std::ios::app) << "another build";
  run_program({"scontrol", "update", "NodeName=n5,n6", "State=RESUME"});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.out;
  const std::string directory = sweep.folder() + "/out";
  for (int i = 0; i < 120; ++i) {
    const Outcome status = run_program({WANSWEEP_BIN_DIR "/wansweep", "status", directory});
    if (status.out.find("2 completed") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  const Outcome gathered = run_program({WANSWEEP_BIN_DIR "/wansweep", "gather", directory});
  ASSERT_EQ(gathered.exit_code, 0) << gathered.out;
  const Outcome replaced = run_program({WANSWEEP_BIN_DIR "/wansweep", "query", directory, "replaced_workers", "--csv"});
  EXPECT_NE(replaced.out.find(sha256_file(worker + ".old") + "," + sha256_file(worker)), std::string::npos)
      << replaced.out;
}

}  // namespace
}  // namespace wansweep::test
