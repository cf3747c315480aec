// The files that a run writes beside its traces: result.safetensors with the latents, and the records of all files.
#pragma once

#include <string>
#include <vector>

#include "schema/completion.h"
#include "schema/run_plan.h"
#include "worker/comm/mpi_world.h"
#include "worker/device/device.h"
#include "worker/trace/recorder.h"

namespace wansweep {

// Rank 0 gets the whole tensor [C, F, H, W], of which each rank holds its tokens on its device; the others get an empty
// one. Collective.
std::vector<float> gather_latents(MpiWorld& world, Device& device, const RunPlan& run, const float* tokens);

// The tensors of every step, one after the other, for keep_steps.
struct KeptSteps {
  std::vector<float> latents;
  std::vector<float> noise_pred;
};

// Writes DIRECTORY/result.safetensors, with the settings as metadata. Throws Error(output).
void write_result(const std::string& directory, const RunPlan& run, const std::vector<float>& latents,
                  const KeptSteps& kept);

// Reads back the file that write_result wrote. Throws Error(output).
ResultRecord read_back_result(const std::string& directory);

// Rank 0 gets the record of every rank's trace, with the rows as its writer counted them. The files must be closed.
// Collective. Throws Error(output) when this rank's trace cannot be read back.
std::vector<TraceRecord> collect_traces(MpiWorld& world, const std::string& directory, const Recorder& recorder);

}  // namespace wansweep
