// The worker with --backend cuda: it follows diffusers' trajectories in f32 and bf16, gives the same bits in every
// offload mode, runs several ranks on one GPU, and reports hardware that cannot run it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

#include "base/exit_codes.h"
#include "schema/completion.h"
#include "tests/end_to_end/trajectory.h"
#include "tests/end_to_end/worker_run.h"
#include "tests/worker/device/cuda/cuda_fixture.h"

namespace wansweep::test {
namespace {

struct Precision {
  const char* name;
  double bar;  // on the relative L2 error of each step's noise prediction
};
constexpr Precision precisions[]{{"fp32", 1e-4}, {"bf16", 2e-2}};

class CudaReferenceTest : public testing::Test {
 protected:
  void SetUp() override {
    // The GPU is opened and closed here, so that the ranks find all of its memory free.
    if (!open_gpu()) GTEST_SKIP() << "no GPU here";
  }

  static WorkerResult run(const std::string& trajectory, int ranks, std::vector<std::string> more) {
    std::vector<std::string> arguments = reference_arguments(trajectory);
    arguments.insert(arguments.end(), {"--backend", "cuda"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_worker(ranks, arguments, make_directory("cuda"));
  }
};

// The worst of all steps' noise predictions against diffusers'.
double error_of(const WorkerResult& run, const std::string& trajectory) {
  const SafetensorsFile reference(reference_file(trajectory)), result(run.out + "/result.safetensors");
  return worst_step_error(values_of(result, "noise_pred_per_step"), values_of(reference, "noise_pred"),
                          static_cast<size_t>(reference.find("timesteps").shape[0]));
}

std::string digest_of(const WorkerResult& run) {
  const auto completion = read_completion(run.out);
  return completion ? completion->latents_digest : "none";
}

TEST_F(CudaReferenceTest, EveryTrajectoryIsMatchedInBothPrecisionsAndEveryOffloadMode) {
  for (const Precision& precision : precisions) {
    for (const std::string trajectory : {"shift12", "shift3", "odd-length", "one-step"}) {
      std::optional<std::string> digest;
      for (const std::string offload : {"resident", "swap", "layerwise"}) {
        const WorkerResult result = run(trajectory, 1, {"--precision", precision.name, "--offload", offload});
        const std::string name = trajectory + " in " + precision.name + ", " + offload;
        ASSERT_EQ(result.exit_code, 0) << name << ": " << result.err;
        if (!digest) {
          const double error = error_of(result, trajectory);
          std::cout << name << ": relative L2 error of the worst step " << error << "\n";
          EXPECT_LE(error, precision.bar) << name;
          digest = digest_of(result);
        }
        EXPECT_EQ(digest_of(result), *digest) << name << ": not the latents of the other offload modes";
        std::filesystem::remove_all(result.out);
      }
    }
  }
}

TEST_F(CudaReferenceTest, RanksThatShareAGpuThroughIpcMatchInEveryPlan) {
  const struct {
    int ranks;
    std::vector<std::string> plan;
  } cases[] = {{4, {}}, {4, {"--ulysses", "2", "--ring", "2"}}, {4, {"--cfg-parallel"}},
               {6, {}}, {6, {"--ulysses", "1", "--ring", "6"}}, {6, {"--ulysses", "6", "--ring", "1"}}};
  for (const Precision& precision : precisions) {
    for (const auto& each : cases) {
      std::vector<std::string> arguments{"--precision",    precision.name, "--communicator", "ipc",
                                         "--share-device", "--offload",    "layerwise"};
      arguments.insert(arguments.end(), each.plan.begin(), each.plan.end());
      const WorkerResult result = run("odd-length", each.ranks, arguments);
      std::string name = std::to_string(each.ranks) + " ranks in " + precision.name;
      for (const std::string& word : each.plan) name += " " + word;
      ASSERT_EQ(result.exit_code, 0) << name << ": " << result.err;
      const double error = error_of(result, "odd-length");
      std::cout << name << ": relative L2 error of the worst step " << error << "\n";
      EXPECT_LE(error, precision.bar) << name;
      std::filesystem::remove_all(result.out);
    }
  }
}

TEST_F(CudaReferenceTest, EveryWayToBringWeightsGivesTheSameLatents) {
  for (const std::string offload : {"layerwise", "swap"}) {
    std::optional<std::string> digest;
    for (const std::string store : {"private", "shared"}) {
      for (const std::string yields : {"off", "on"}) {
        for (const std::string cooperative : {"off", "on"}) {
          const WorkerResult result = run(
              "odd-length", 4,
              {"--precision", "bf16", "--communicator", "ipc", "--share-device", "--offload", offload, "--host-store",
               store, "--yield-to-collectives", yields, "--cooperative", cooperative, "--chunk-bytes", "30000"});
          const std::string name = offload + ", store " + store + ", yields " + yields + ", cooperative " + cooperative;
          ASSERT_EQ(result.exit_code, 0) << name << ": " << result.err;
          if (!digest) digest = digest_of(result);
          EXPECT_EQ(digest_of(result), *digest) << name;
          std::filesystem::remove_all(result.out);
        }
      }
    }
  }
}

TEST_F(CudaReferenceTest, KeptKeysOfTheTextGiveTheSameLatents) {
  for (const Precision& precision : precisions) {
    for (const std::vector<std::string>& way : std::vector<std::vector<std::string>>{
             {"--offload", "swap"}, {"--offload", "layerwise", "--guidance-order", "block"}}) {
      std::optional<std::string> digest;
      for (const std::string cache : {"off", "on", "auto"}) {
        std::vector<std::string> arguments{"--precision", precision.name, "--text-cache", cache};
        arguments.insert(arguments.end(), way.begin(), way.end());
        const WorkerResult result = run("shift12", 1, arguments);
        const std::string name = std::string(precision.name) + ", " + way[1] + ", text cache " + cache;
        ASSERT_EQ(result.exit_code, 0) << name << ": " << result.err;
        if (!digest) digest = digest_of(result);
        EXPECT_EQ(digest_of(result), *digest) << name;
        std::filesystem::remove_all(result.out);
      }
    }
  }
}

TEST_F(CudaReferenceTest, AnyNumberOfExchangeGroupsGivesTheSameLatents) {
  for (const Precision& precision : precisions) {
    // Heads that do not divide into groups, and a ring of each group's keys.
    for (const std::vector<std::string>& plan :
         std::vector<std::vector<std::string>>{{"--ulysses", "3", "--ring", "1"}, {"--ulysses", "2", "--ring", "2"}}) {
      std::optional<std::string> digest;
      for (const std::string groups : {"0", "1", "2"}) {
        std::vector<std::string> arguments{
            "--precision", precision.name, "--communicator", "ipc", "--share-device", "--exchange-groups", groups};
        arguments.insert(arguments.end(), plan.begin(), plan.end());
        const WorkerResult result = run("one-step", plan[3] == "2" ? 4 : 3, arguments);
        const std::string name = std::string(precision.name) + ", ulysses " + plan[1] + ", groups " + groups;
        ASSERT_EQ(result.exit_code, 0) << name << ": " << result.err;
        if (!digest) digest = digest_of(result);
        EXPECT_EQ(digest_of(result), *digest) << name;
        std::filesystem::remove_all(result.out);
      }
    }
  }
}

void expect_refused(const WorkerResult& result, ExitCode code, const std::string& line) {
  EXPECT_EQ(result.exit_code, static_cast<int>(code)) << result.err;
  EXPECT_NE(result.err.find(line), std::string::npos) << result.err;
  std::filesystem::remove_all(result.out);
}

TEST_F(CudaReferenceTest, TwoRanksOnOneGpuAreAnErrorUnlessAskedFor) {
  setenv("CUDA_VISIBLE_DEVICES", "0", 1);
  expect_refused(run("one-step", 2, {}), ExitCode::device_unavailable, "ranks 0 and 1 have the same GPU");
  unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST_F(CudaReferenceTest, NcclOnASharedGpuPointsToIpc) {
  setenv("CUDA_VISIBLE_DEVICES", "0", 1);
  expect_refused(run("one-step", 2, {"--share-device", "--communicator", "nccl"}), ExitCode::communicator,
                 "ranks that share a GPU need --communicator ipc");
  unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST_F(CudaReferenceTest, NoVisibleGpuIsReported) {
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  expect_refused(run("one-step", 1, {}), ExitCode::device_unavailable, "no GPU is visible");
  unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST_F(CudaReferenceTest, TooLittleMemoryIsReportedWithTheNumbers) {
  const std::vector<std::string> true_size{"--model-id", "t2v-a14b", "--weights", "random:1", "--size",    "832x480",
                                           "--frames",   "81",       "--steps",   "1",        "--backend", "cuda"};
  std::vector<std::string> small_device = true_size, small_host = true_size;
  small_device.insert(small_device.end(), {"--device-memory", "2"});
  expect_refused(run_worker(1, small_device, make_directory("cuda")), ExitCode::device_memory,
                 "device_memory is 2 GiB; offload resident needs 55.31 GiB");
  small_host.insert(small_host.end(), {"--offload", "layerwise"});
  setenv("WANSWEEP_HOST_MEMORY", "20", 1);
  expect_refused(run_worker(1, small_host, make_directory("cuda")), ExitCode::host_memory, "the host has 20.00 GiB");
  unsetenv("WANSWEEP_HOST_MEMORY");
}

}  // namespace
}  // namespace wansweep::test
