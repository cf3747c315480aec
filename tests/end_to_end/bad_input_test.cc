// What the worker says to bad input: one line that names the thing, exit code 2, and nothing that looks like a result.

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/exit_codes.h"
#include "base/files.h"
#include "base/process.h"
#include "schema/trace_file.h"
#include "tests/end_to_end/trajectory.h"
#include "tests/end_to_end/worker_run.h"
#include "tests/support/temporary_directory.h"

namespace wansweep::test {
namespace {

using Arguments = std::vector<std::string>;

Arguments with(Arguments base, const Arguments& more) {
  base.insert(base.end(), more.begin(), more.end());
  return base;
}

Arguments with_model(const std::string& model) {
  Arguments arguments = reference_arguments("one-step");
  arguments[1] = model;
  return arguments;
}

void expect_refused(int ranks, const Arguments& arguments, ExitCode code, const std::vector<std::string>& words) {
  const WorkerResult run = run_worker(ranks, arguments, make_directory("bad"));
  EXPECT_EQ(run.exit_code, static_cast<int>(code)) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  for (const std::string& word : words) EXPECT_NE(run.err.find(word), std::string::npos) << word << " in: " << run.err;
  EXPECT_FALSE(std::filesystem::exists(run.out + "/completed.json"));
  EXPECT_FALSE(std::filesystem::exists(run.out + "/result.safetensors"));
  EXPECT_LT(run.seconds, 10);
  std::filesystem::remove_all(run.out);
}

std::string copy_of_model() {
  std::string copy = make_directory("model") + "/wan";
  std::filesystem::copy(std::string(WANSWEEP_SOURCE_DIR) + "/tests/reference/tiny-wan2.2-t2v", copy,
                        std::filesystem::copy_options::recursive);
  return copy;
}

TEST(BadInput, SettingsAreRefusedByName) {
  const Arguments base = reference_arguments("one-step");
  expect_refused(1, with(base, {"--steps", "0"}), ExitCode::bad_input, {"steps", "0"});
  expect_refused(6, with(base, {"--ulysses", "4", "--ring", "2"}), ExitCode::bad_input, {"4", "2", "6"});
  expect_refused(3, with(base, {"--cfg-parallel"}), ExitCode::bad_input, {"3"});
  expect_refused(1, with(base, {"--offload", "sideways"}), ExitCode::bad_input, {"offload", "sideways", "layerwise"});
  expect_refused(1, with(base, {"--flow-shift", "twelve"}), ExitCode::bad_input, {"flow-shift", "twelve"});
  expect_refused(1, {"--model-id", "t2v-a14b", "--weights", "random:1", "--size", "100x100", "--frames", "81"},
                 ExitCode::bad_input, {"size", "100"});
}

TEST(BadInput, TooLittleDeviceMemoryIsReportedBeforeAnythingIsAllocated) {
  expect_refused(2, with(reference_arguments("shift12"), {"--device-memory", "0.001"}), ExitCode::device_memory,
                 {"device memory", "GiB"});
}

TEST(BadInput, HostMemoryIsWhatAllRanksOfTheHostShare) {
  std::vector<std::string> arguments = with(reference_arguments("one-step"), {"--offload", "layerwise"});
  setenv("WANSWEEP_HOST_MEMORY", "0.015", 1);  // GiB; the experts need 0.010 GiB for each rank
  expect_refused(2, arguments, ExitCode::host_memory, {"host memory", "0.01 GiB for each of 2 ranks"});
  setenv("WANSWEEP_HOST_MEMORY", "plenty", 1);
  expect_refused(2, arguments, ExitCode::bad_input, {"WANSWEEP_HOST_MEMORY", "plenty", "GiB"});
  unsetenv("WANSWEEP_HOST_MEMORY");
}

// Returns the exit code of the worker, started without mpirun; -1 when a signal ended it.
int run_alone(const Arguments& arguments, const Command& more) {
  Command command = more;
  command.arguments = with({WANSWEEP_BIN_DIR "/wansweep-worker"}, arguments);
  command.without = {"OMPI_", "PMI_"};
  int status = 0;
  waitpid(spawn(command), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(BadInput, ARankThatDoesNotSeeTheOthersRefusesToRunAlone) {
  const TemporaryDirectory directory;
  const Command command{{}, {{"SLURM_STEP_NUM_TASKS", "4"}}, directory / "stdout", directory / "stderr"};
  EXPECT_EQ(run_alone(with(reference_arguments("one-step"), {"--out", directory / "out"}), command),
            static_cast<int>(ExitCode::bad_input));
  EXPECT_NE(wansweep::read_text(directory / "stderr").find("SLURM_STEP_NUM_TASKS is 4, but MPI sees 1"),
            std::string::npos);
}

TEST(BadInput, HelpThatCannotBeWrittenIsAnOutputError) {
  const TemporaryDirectory directory;
  for (const char* flag : {"--help", "--version"}) {
    EXPECT_EQ(run_alone({flag}, {{}, {}, "/dev/full", directory / "stderr"}), static_cast<int>(ExitCode::output))
        << flag;
    EXPECT_NE(wansweep::read_text(directory / "stderr").find("standard output cannot be written: No space left"),
              std::string::npos)
        << flag;
  }
}

TEST(BadInput, LatentsThatAreNotFiniteEndTheRunUnlessTheyMay) {
  const TemporaryDirectory directory;
  const SafetensorsFile reference(reference_file("one-step"));
  std::vector<std::vector<float>> values;
  std::vector<TensorToWrite> tensors;
  for (const char* name : {"initial_latents", "prompt_embeds", "negative_prompt_embeds"}) {
    values.push_back(values_of(reference, name));
    tensors.push_back({name, reference.find(name).shape, nullptr});
  }
  values[0][5] = INFINITY;
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i].data = values[i].data();
  write_safetensors(directory / "inputs.safetensors", {}, tensors);
  Arguments arguments = with(reference_arguments("one-step"), {"--inputs", directory / "inputs.safetensors"});
  expect_refused(2, arguments, ExitCode::not_finite, {"after step 1", "not a number", "allow_nonfinite"});
  EXPECT_EQ(run_worker(1, with(arguments, {"--allow-nonfinite"}), directory / "out").exit_code, 0);
  const std::vector<NonfiniteRow> counted = read_trace(directory / "out/" + trace_file_name(0)).rows.nonfinite;
  ASSERT_EQ(counted.size(), 1U);
  EXPECT_EQ(counted[0].step, 1);
  EXPECT_GT(counted[0].values, 0) << "the trace knows it";
}

TEST(BadInput, AMissingModelOrExpertIsNamed) {
  expect_refused(2, with_model("/nowhere/wan"), ExitCode::bad_input, {"/nowhere/wan"});
  const std::string model = copy_of_model();
  std::filesystem::remove_all(model + "/transformer_2");
  expect_refused(2, with_model(model), ExitCode::bad_input, {"transformer_2"});
}

TEST(BadInput, ATruncatedCheckpointIsNamed) {
  const std::string model = copy_of_model();
  const std::string file = model + "/transformer_2/diffusion_pytorch_model.safetensors";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  expect_refused(2, with_model(model), ExitCode::bad_input, {file});
}

TEST(BadInput, AnAttemptIsNeverOverwritten) {
  const std::string out = make_directory("twice");
  ASSERT_EQ(run_worker(1, reference_arguments("one-step"), out).exit_code, 0);
  const WorkerResult again = run_worker(1, reference_arguments("one-step"), out);
  EXPECT_EQ(again.exit_code, static_cast<int>(ExitCode::output)) << again.err;
  EXPECT_NE(again.err.find("rank-0000.h5"), std::string::npos) << again.err;
}

TEST(BadInput, AnOutputDirectoryThatCannotBeMadeIsNamed) {
  const WorkerResult run = run_worker(2, reference_arguments("one-step"), "/proc/nowhere");
  EXPECT_EQ(run.exit_code, static_cast<int>(ExitCode::output)) << run.err;
  EXPECT_NE(run.err.find("/proc/nowhere: directory cannot be created: No such file or directory"), std::string::npos)
      << run.err;
}

}  // namespace
}  // namespace wansweep::test
